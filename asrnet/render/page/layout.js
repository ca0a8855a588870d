// Where everything goes: rows into lanes (two regions of a vault, side by side), lanes into groups that share networks,
// networks and arrows into places counted in rows. Knows nothing of the document.

/** Rows by vault and pair of regions; the region that most often is the primary one is on the left. */
function lanesOf(items, networks) {
  const lanes = new Map();
  for (const item of items) {
    const from = networks[item.primary].place, to = networks[item.recovery].place;
    const key = JSON.stringify([item.vault, ...[from, to].sort()]);
    if (!lanes.has(key)) lanes.set(key, { key, vault: item.vault, places: [from, to], balance: 0, items: [] });
    const lane = lanes.get(key);
    lane.items.push(item);
    lane.balance += from === lane.places[0] ? 1 : -1;
  }
  for (const lane of lanes.values()) {
    const [left, right] = lane.balance < 0 ? lane.places.slice().reverse() : lane.places;
    Object.assign(lane, { left, right });
  }
  return [...lanes.values()];
}

/** The rows of a lane in groups: rows that touch the same network belong together. */
function groupsOf(items) {
  const owner = new Map();
  const parent = items.map((_, index) => index);
  const root = index => {
    while (parent[index] !== index) index = parent[index] = parent[parent[index]];
    return index;
  };
  items.forEach((item, index) => {
    for (const network of networksOf(item)) {
      if (owner.has(network)) parent[root(index)] = root(owner.get(network));
      else owner.set(network, index);
    }
  });
  const groups = new Map();
  items.forEach((item, index) => {
    const key = root(index);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(item);
  });
  return [...groups.values()];
}

function networksOf(item) {
  return new Set([item.primary, item.recovery, ...item.arrows.flatMap(arrow => [arrow.tail, arrow.head])]);
}

/** The places of a group's networks, each side from the top, and how many rows the group takes. */
function placed(items, networks, lane) {
  const wishes = new Map();
  const wish = (network, row) => {
    if (!wishes.has(network)) wishes.set(network, []);
    wishes.get(network).push(row);
  };
  items.forEach((item, row) => {
    wish(item.primary, row);
    wish(item.recovery, row);
  });
  items.forEach((item, row) => {
    for (const network of networksOf(item)) if (!wishes.has(network)) wish(network, row + 0.5);
  });
  const sides = { left: [], right: [] };
  for (const [network, rows] of wishes) {
    const row = rows.reduce((sum, one) => sum + one, 0) / rows.length;
    sides[sideOf(network, items, networks, lane)].push({ network, row });
  }
  const left = spread(sides.left), right = spread(sides.right);
  const last = [...left.values(), ...right.values()].reduce((most, row) => Math.max(most, row), 0);
  return { left, right, rows: Math.max(items.length, Math.ceil(last + 1)) };
}

function sideOf(network, items, networks, lane) {
  if (lane.left === lane.right) return items.some(item => item.primary === network) ? 'left' : 'right';
  return networks[network].place === lane.left ? 'left' : 'right';
}

/** Networks as near to their wishes as can be without touching. */
function spread(nodes) {
  const rows = new Map();
  let free = 0;
  for (const { network, row } of nodes.sort((one, other) => one.row - other.row)) {
    const place = Math.max(row, free);
    rows.set(network, place);
    free = place + 1;
  }
  return rows;
}
