// The diagram: lanes, groups, networks and arrows as elements. Text is only set as text, never parsed as HTML.

const ROW = 52;
const NEAR_TAIL = 0.3;
const SVG = 'http://www.w3.org/2000/svg';
const GLYPHS = {
  new: 'plus', old: 'cross', held: 'bar', blocked: 'bar', broken: 'bang', failed: 'cross', absent: 'lock', stray: 'ask',
};
const ICONS = {
  in_sync: 'check', corrected: 'done', half: 'half', missing: 'ring', retargeted: 'turn', not_paired: 'bang',
  blocked: 'bar', failed: 'cross', external: 'lock', unmanaged: 'ask', delete: 'cross',
};
// Drawn around the origin, 16 wide.
const SHAPES = {
  check: '<path d="M-4.5 .5 L-1.5 3.5 L4.5 -3.5"/>',
  done: '<circle r="6"/><path d="M-2.8 .3 L-.9 2.2 L2.9 -2"/>',
  half: '<circle r="4.5"/><path class="solid" d="M0 -4.5 A4.5 4.5 0 0 0 0 4.5 Z"/>',
  ring: '<circle r="4.5" stroke-dasharray="2.4 2.3"/>',
  turn: '<path d="M-4.5 4 V0 A3 3 0 0 1 -1.5 -3 H4 M1.5 -5.5 L4.5 -3 L1.5 -.5"/>',
  bang: '<path d="M0 -5 V1"/><path d="M0 4 V4.6"/>',
  bar: '<circle r="5"/><path d="M-3.4 3.4 L3.4 -3.4"/>',
  cross: '<path d="M-3.8 -3.8 L3.8 3.8 M-3.8 3.8 L3.8 -3.8"/>',
  lock: '<path class="solid" d="M-4 -1 H4 V5 H-4 Z"/><path d="M-2.4 -1 V-3 A2.4 2.4 0 0 1 2.4 -3 V-1"/>',
  ask: '<path d="M-2.6 -2.4 A2.6 2.6 0 1 1 0 .6 V1.6"/><path d="M0 4.6 V5"/>',
  warn: '<path d="M0 -5.5 L6 5 H-6 Z"/><path d="M0 -1.6 V1 M0 3 V3.1"/>',
  note: '<circle r="5.5"/><path d="M0 -.6 V2.8 M0 -3 V-2.9"/>',
  away: '<path d="M-6 -2.5 H4 M1.5 -5 L4 -2.5 L1.5 0 M6 3 H-4 M-1.5 .5 L-4 3 L-1.5 5.5"/>',
  plus: '<path d="M-4 0 H4 M0 -4 V4"/>',
};

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('--')) made.style.setProperty(name, value);
    else if (value === true) made.setAttribute(name, '');
    else if (value !== false && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter(child => child !== null && child !== undefined && child !== ''));
  return made;
}

function drawn(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The shapes that arrows and badges refer to; added to the document once. */
function definitions() {
  const holder = drawn('svg', { class: 'definitions', 'aria-hidden': 'true', width: 0, height: 0 });
  for (const [name, shape] of Object.entries(SHAPES)) {
    const group = drawn('g', { id: `shape-${name}` });
    group.innerHTML = shape;
    holder.append(group);
  }
  for (const look of ['live', ...Object.keys(GLYPHS)]) {
    const size = { id: `head-${look}`, class: `head ${look}`, markerWidth: 9, markerHeight: 9, viewBox: '0 0 10 10' };
    const tip = drawn('path', { d: 'M1 1 L9 5 L1 9 Z' });
    holder.append(drawn('marker', { ...size, refX: 9, refY: 5, orient: 'auto', markerUnits: 'userSpaceOnUse' }, tip));
  }
  return holder;
}

function icon(shape) {
  const use = drawn('use', { href: `#shape-${shape}` });
  return drawn('svg', { class: 'icon', viewBox: '-8 -8 16 16', 'aria-hidden': 'true' }, use);
}

function badge(item) {
  return element('span', { class: `badge ${item.status}` }, icon(ICONS[item.status]), item.label);
}

/** A lane without its groups. */
function drawLane(lane) {
  const rows = lane.items.length;
  const title = element('h2', {}, placeName(lane.left), ' ', element('span', { class: 'quiet' }, 'and'), ' ',
    placeName(lane.right), ' ', element('span', { class: 'quiet' }, `vault ${lane.vault}, ${counted(rows, 'pair')}`));
  const head = element('div', { class: 'columns', 'aria-hidden': 'true' }, element('span', {}, 'Pair'),
    element('span', { class: 'region' }, ...cut(placeName(lane.left))), element('span'),
    element('span', { class: 'region' }, ...cut(placeName(lane.right))));
  return element('section', { class: 'lane' }, title, head);
}

const drawnGroups = new Map();

/** The element of a group. It is cached by its pairs and sides, because filters bring the same groups back. */
function drawGroup(items, networks, lane) {
  const key = `${lane.key} ${lane.left} ${items.map(item => item.number)}`;
  if (!drawnGroups.has(key)) drawnGroups.set(key, newGroup(items, networks, lane));
  return drawnGroups.get(key);
}

function newGroup(items, networks, lane) {
  const places = placed(items, networks, lane);
  const list = element('ul', { class: 'pairs' }, ...items.map(item => element('li', {}, pairButton(item, networks))));
  const reasons = items.flatMap(item => reasonsOf(item, networks).map(({ shape, text }) =>
    element('li', { class: item.status }, icon(shape), element('p', {}, items.length > 1 ? element('b', {}, `${item.name}: `) : '', ...message(text)))));
  return element('div', { class: 'group', '--rows': places.rows },
    element('div', { class: 'rows' }, list,
      column('left', places.left, networks), drawArrows(items, places), column('right', places.right, networks)),
    reasons.length ? element('ul', { class: 'reasons' }, ...reasons) : null);
}

/** What nobody should have to click for: why a pair is blocked or failed, and machines that run in its recovery region. */
function reasonsOf(item, networks) {
  const away = machinesAway(item, networks);
  return [
    ...shortened([
      ...item.findings.filter(finding => finding.severity === 'error').map(finding => finding.message),
      ...errorsOfChanges(item.changes),
    ]).map(text => ({ shape: 'bar', text })),
    ...(away ? [{ shape: 'away', text: away }] : []),
  ];
}

/** Why changes were not made; an error of machines says of which one it is, or of how many. */
function errorsOfChanges(changes) {
  const failed = changes.filter(change => change.error);
  return [
    ...failed.filter(change => !change.machine).map(change => change.error),
    ...[...grouped(failed.filter(change => change.machine), change => change.error)].map(([error, alike]) =>
      `${alike.length === 1 ? alike[0].machine : counted(alike.length, 'machine')}: ${error}`),
  ];
}

const REASONS = 3;

/** The first of `texts`, each once, and how many others there are. */
function shortened(texts) {
  const different = [...new Set(texts)];
  return !isShortened(different) ? different
    : [...different.slice(0, REASONS), `and ${format(different.length - REASONS)} more`];
}

function isShortened(different) {
  return different.length > REASONS + 1;
}

function machinesAway(item, networks) {
  const number = item.machines_away || 0;
  return number ? `${counted(number, 'machine')} ${number === 1 ? 'runs' : 'run'} in the recovery region, ${placeName(networks[item.recovery].place)}` : '';
}

function pairButton(item, networks) {
  const from = networks[item.primary], to = networks[item.recovery];
  const warnings = item.findings.filter(finding => finding.severity === 'warning').length;
  const marks = warnings ? `, ${counted(warnings, 'warning')}` : '';
  const label = `${item.name}: ${item.label}${marks}. ${from.name} in ${placeName(from.place)}, ${to.name} in ${placeName(to.place)}`;
  const name = element('span', { class: item.declared ? 'name' : 'name undeclared' }, ...cut(item.name));
  const mark = warnings ? element('span', { class: 'mark', title: counted(warnings, 'warning') }, icon('warn'), warnings) : null;
  return element('button', {
    type: 'button', class: 'pair', 'data-number': item.number, 'aria-label': label, tabindex: -1, title: item.name,
  }, name, element('span', { class: 'state' }, badge(item), mark));
}

const TAIL = 7;

/** A name in two parts, of which only the first gives way where there is no room: the ends of names tell them apart. */
function cut(name) {
  const characters = [...name];
  if (characters.length <= TAIL) return [name];
  return [
    element('span', { class: 'start' }, characters.slice(0, -TAIL).join('')),
    element('span', { class: 'end' }, characters.slice(-TAIL).join('')),
  ];
}

function column(side, rows, networks) {
  return element('div', { class: `nodes ${side}`, 'aria-hidden': 'true' },
    ...[...rows].map(([network, row]) => drawNode(networks[network], row)));
}

const STATES = { new: 'to be created', gone: 'does not exist', unknown: 'could not be read' };

function drawNode(network, row) {
  const below = STATES[network.state] || (network.space || []).join(', ');
  const machines = network.machines ? counted(network.machines, 'machine') : '';
  return element('div', { class: `node ${network.state || 'known'}`, '--row': row, title: network.id || network.name },
    element('b', {}, ...cut(network.name)), element('small', {}, [machines, below].filter(Boolean).join(' · ')));
}

function drawArrows(items, places) {
  const picture = drawn('svg', { class: 'arrows', height: places.rows * ROW, 'aria-hidden': 'true' });
  const arrows = items.flatMap(item => item.arrows.map(arrow => ({ ...arrow, number: item.number })));
  const ports = portsOf(arrows, places);
  for (const arrow of arrows) picture.append(...drawArrow(arrow, places, ports));
  return picture;
}

const PORT = 10;
const PORTS = 34;

/** Where each arrow begins and ends, in pixels from the middle of its networks: side by side, with few crossings. */
function portsOf(arrows, { left, right }) {
  const ends = new Map();
  const add = (network, arrow, other, isTail) => {
    if (!ends.has(network)) ends.set(network, []);
    ends.get(network).push({ arrow, isTail, row: (left.get(other) ?? right.get(other)), back: right.has(arrow.tail) });
  };
  for (const arrow of arrows) {
    add(arrow.tail, arrow, arrow.head, true);
    add(arrow.head, arrow, arrow.tail, false);
  }
  const ports = new Map(arrows.map(arrow => [arrow, { tail: 0, head: 0 }]));
  for (const list of ends.values()) {
    list.sort((first, second) => first.row - second.row || first.back - second.back);
    const gap = Math.min(PORT, PORTS / list.length);
    list.forEach(({ arrow, isTail }, index) => {
      ports.get(arrow)[isTail ? 'tail' : 'head'] = (index - (list.length - 1) / 2) * gap;
    });
  }
  return ports;
}

/** A straight arrow from side to side, with the sign of its state near its tail. */
function drawArrow(arrow, { left, right }, ports) {
  const height = (network, port) => ((left.get(network) ?? right.get(network)) + 0.5) * ROW + port;
  const [x1, x2] = right.has(arrow.tail) ? [100, 0] : [0, 100];
  const y1 = height(arrow.tail, ports.get(arrow).tail), y2 = height(arrow.head, ports.get(arrow).head);
  const line = drawn('line', {
    class: `arrow ${arrow.look}`, x1: `${x1}%`, y1, x2: `${x2}%`, y2, 'marker-end': `url(#head-${arrow.look})`,
    'data-number': arrow.number,
  });
  if (!GLYPHS[arrow.look]) return [line];
  const x = `${x1 + (x2 - x1) * NEAR_TAIL}%`, y = y1 + (y2 - y1) * NEAR_TAIL;
  const back = drawn('circle', { class: 'back', cx: x, cy: y, r: 8 });
  return [line, drawn('g', { class: `glyph ${arrow.look}` }, back, drawn('use', { href: `#shape-${GLYPHS[arrow.look]}`, x, y }))];
}

/** An id that may wrap after its slashes. */
function idText(id) {
  const made = element('span', { class: 'id' });
  for (const part of id.split(/(?<=\/)/)) made.append(part, document.createElement('wbr'));
  return made;
}

const numbers = new Intl.NumberFormat('en');

function format(number) {
  return numbers.format(number);
}

function counted(number, word) {
  return `${format(number)} ${word}${number === 1 ? '' : 's'}`;
}

function placeName(place) {
  return place || 'unknown region';
}
