// The layout, independent of the document: pairs are sorted into lanes (two regions of a vault side by side), the pairs
// of a lane into groups that share networks, and each network of a group gets a position, counted in rows.

/** Pairs by vault and regions. The region that is the primary one more often is on the left. */
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

/** The pairs of a lane in groups: pairs that share a network are in the same group. */
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

/** The positions of a group's networks, for each side from the top, and the height of the group in rows. */
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
    const row = rows.reduce((sum, wished) => sum + wished, 0) / rows.length;
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

/** Puts networks as close to their preferred rows as possible without overlap. */
function spread(nodes) {
  const rows = new Map();
  let free = 0;
  for (const { network, row } of nodes.sort((first, second) => first.row - second.row)) {
    const place = Math.max(row, free);
    rows.set(network, place);
    free = place + 1;
  }
  return rows;
}
