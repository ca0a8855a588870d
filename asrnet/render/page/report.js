// The page: reads the data, keeps the filters, and redraws the diagram whenever they change.

const data = JSON.parse(document.getElementById('data').textContent);
const networks = data.networks || [];
const statuses = new Map(data.statuses || []);
const ranks = new Map([...statuses.keys()].map((status, rank) => [status, rank]));
const items = (data.items || []).map((item, number) => ({
  number, declared: true, forward: '', reverse: '', findings: [], changes: [], ...item, arrows: item.arrows || [],
}));
for (const item of items) item.text = searchText(item);

const find = id => document.getElementById(id);
const filters = { words: [], statuses: new Set(), vault: '', place: '', order: 'attention' };
let shown = [];
let opened = null;

function searchText(item) {
  const ends = [...networksOf(item)].map(number => networks[number]);
  return [
    item.name, item.vault, item.label, item.source, item.managed_by,
    ...ends.flatMap(network => [network.name, network.place, network.id, ...(network.space || [])]),
    ...item.findings.flatMap(finding => [finding.kind, finding.message]),
    ...item.changes.flatMap(change => change.label),
  ].join('\n').toLowerCase();
}

function matches(item) {
  return filters.words.every(word => item.text.includes(word))
    && (!filters.statuses.size || filters.statuses.has(item.status))
    && (!filters.vault || item.vault === filters.vault)
    && (!filters.place || [item.primary, item.recovery].some(network => networks[network].place === filters.place));
}

function compareItems(first, second) {
  const rank = filters.order === 'attention' ? ranks.get(first.status) - ranks.get(second.status) : 0;
  return rank || first.name.localeCompare(second.name, 'en', { numeric: true });
}

function draw() {
  shown = items.filter(matches).sort(compareItems);
  const lanes = lanesOf(shown, networks);
  for (const lane of lanes) lane.groups = groupsOf(lane.items);
  find('picture').replaceChildren(...lanes.map(lane => drawLane(lane, networks)));
  const rows = find('picture').querySelectorAll('.pair');
  if (rows.length) rows[0].tabIndex = 0;
  find('count').textContent = `${format(shown.length)} of ${counted(items.length, 'pair')}`;
  find('nothing').hidden = shown.length > 0 || !items.length;
  markOpened();
}

function format(number) {
  return number.toLocaleString('en');
}

// --- search and filters ---

function readFilters() {
  filters.words = find('search').value.toLowerCase().split(/\s+/).filter(Boolean);
  filters.vault = find('vault').value;
  filters.place = find('place').value;
  filters.order = find('order').value;
  draw();
}

function clearAll() {
  find('tools').reset();
  filters.statuses.clear();
  for (const chip of find('chips').children) chip.setAttribute('aria-pressed', 'false');
  readFilters();
  find('search').focus();
}

function drawChips() {
  const counts = new Map();
  for (const item of items) counts.set(item.status, (counts.get(item.status) || 0) + 1);
  for (const [status, label] of statuses) {
    if (!counts.has(status)) continue;
    const attributes = { type: 'button', class: `chip ${status}`, 'aria-pressed': 'false', 'data-status': status };
    const chip = element('button', attributes, icon(ICONS[status]), label, element('b', {}, format(counts.get(status))));
    chip.addEventListener('click', () => toggle(status, chip));
    find('chips').append(chip);
    find('share').append(element('i', { class: status, '--count': counts.get(status) }));
  }
}

function toggle(status, chip) {
  if (!filters.statuses.delete(status)) filters.statuses.add(status);
  chip.setAttribute('aria-pressed', filters.statuses.has(status));
  draw();
}

function offer(id, all, values) {
  const sorted = [...new Set(values)].filter(Boolean).sort();
  if (sorted.length < 2) return;
  find(id).append(element('option', { value: '' }, all), ...sorted.map(value => element('option', { value }, value)));
  find(`${id}-choice`).hidden = false;
}

// --- one row ---

function open(number) {
  opened = number;
  const close = element('button', { type: 'button', class: 'close', 'aria-label': 'Close the details' }, '×');
  close.addEventListener('click', shut);
  find('details').replaceChildren(close, ...drawDetails(items[number], networks));
  find('details').hidden = false;
  find('details').scrollTop = 0;
  find('body').classList.add('split');
  find('details-title').focus({ preventScroll: true });
  history.replaceState(null, '', `#${encodeURIComponent(`${items[number].vault}/${items[number].name}`)}`);
  markOpened();
}

function shut() {
  const row = find('picture').querySelector(`.pair[data-number="${opened}"]`);
  opened = null;
  find('details').hidden = true;
  find('body').classList.remove('split');
  history.replaceState(null, '', '#');
  markOpened();
  if (row) focusRow(row);
}

function markOpened() {
  for (const marked of document.querySelectorAll('[data-number].opened')) marked.classList.remove('opened');
  if (opened === null) return;
  for (const part of find('picture').querySelectorAll(`[data-number="${opened}"]`)) part.classList.add('opened');
}

function focusRow(row) {
  for (const other of find('picture').querySelectorAll('.pair[tabindex="0"]')) other.tabIndex = -1;
  row.tabIndex = 0;
  row.focus();
}

function nameInAddress() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return ''; // mail programs may cut an address in the middle of an encoded character
  }
}

function openFromAddress() {
  const name = nameInAddress();
  const item = name && items.find(candidate => `${candidate.vault}/${candidate.name}` === name);
  if (item) open(item.number);
}

// --- keyboard ---

const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };

function onKey(event) {
  const row = event.target.closest('.pair');
  if (event.key === 'Escape' && opened !== null) shut();
  else if (event.key === '/' && !event.target.closest('input, select, textarea')) find('search').focus();
  else if (event.key === 'ArrowDown' && event.target === find('search')) focusFirst();
  else if (row && event.key in STEPS) move(row, STEPS[event.key]);
  else return;
  event.preventDefault();
}

function focusFirst() {
  const row = find('picture').querySelector('.pair');
  if (row) focusRow(row);
}

function move(row, step) {
  const rows = [...find('picture').querySelectorAll('.pair')];
  const next = Math.min(rows.length - 1, Math.max(0, rows.indexOf(row) + step));
  focusRow(rows[next]);
}

// --- the rest of the page ---

function drawMore() {
  const parts = [
    section('Not about a single pair', data.findings, list => element('ul', { class: 'findings' }, ...list.map(drawFinding))),
    section('Other changes', data.changes, list => element('div', {}, ...list.map(drawChange))),
    section('Rules', data.rules, list => element('dl', {}, ...list.flatMap(rule => [
      element('dt', {}, rule.name), element('dd', {}, rule.networks.join(', ') || 'matches nothing')]))),
    legend(),
  ];
  find('more').replaceChildren(...parts.filter(Boolean));
  for (const text of data.refusals || []) {
    find('refusals').append(element('p', { class: 'refusal', role: 'alert' }, icon('bar'), `apply would refuse this: ${text}`));
  }
}

function section(title, list, body) {
  if (!list || !list.length) return null;
  const heading = element('summary', {}, element('h2', {}, title), ' ', element('span', { class: 'quiet' }, format(list.length)));
  return element('details', { class: 'block', open: list.length <= 20 }, heading, body(list));
}

const LOOKS = {
  live: 'exists as declared', new: 'to be created', old: 'to be removed', held: 'exists, cannot be changed now',
  blocked: 'cannot be created now', broken: 'exists, not paired', failed: 'could not be created',
  absent: 'left to another tool to create', stray: 'exists, not declared',
};

function legend() {
  const used = new Set(items.flatMap(item => item.arrows.map(arrow => arrow.look)));
  const entries = Object.entries(LOOKS).filter(([look]) => used.has(look)).map(([look, label]) => {
    const sides = { left: new Map([[0, 0]]), right: new Map([[1, 0]]) };
    const sample = drawn('svg', { class: 'arrows sample', height: ROW, 'aria-hidden': 'true' });
    const arrow = { tail: 0, head: 1, look };
    sample.append(...drawArrow(arrow, sides, portsOf([arrow], sides)));
    return element('li', {}, sample, label);
  });
  return entries.length ? element('details', { class: 'block', open: true },
    element('summary', {}, element('h2', {}, 'Arrows')), element('ul', { class: 'legend' }, ...entries)) : null;
}

/** Nothing can be opened on paper, so the details of pairs that need attention are printed below the diagram. */
function beforePrint() {
  const detailed = shown.filter(item => !QUIET.has(item.status)).slice(0, 100);
  find('print').replaceChildren(...detailed.map(item => element('article', {}, ...drawDetails(item, networks))));
  for (const block of document.querySelectorAll('#more details')) block.open = true;
  for (const part of find('print').querySelectorAll('[id]')) part.removeAttribute('id');
}

function madeAt(time) {
  return time && `${time.slice(0, 16).replace('T', ' ')} UTC`;
}

// The sticky headings sit below the search bar, so the styles need to know its height.
new ResizeObserver(([entry]) => {
  document.documentElement.style.setProperty('--tools', `${entry.target.offsetHeight}px`);
}).observe(find('tools'));

const QUIET = new Set(['in_sync', 'corrected', 'external']);
const attention = items.filter(item => !QUIET.has(item.status)).length;
document.title = `Network mappings: ${attention ? `${format(attention)} need attention` : 'nothing needs attention'}`;
document.body.prepend(definitions());
find('made').textContent = [madeAt(data.made), data.cloud].filter(Boolean).join(' · ');
drawChips();
offer('vault', 'All vaults', items.map(item => item.vault));
offer('place', 'All regions', items.flatMap(item => [networks[item.primary].place, networks[item.recovery].place]));
drawMore();
draw();
find('app').hidden = false;
openFromAddress();

let waiting = 0;
find('tools').addEventListener('input', () => {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(readFilters);
});
find('tools').addEventListener('submit', event => event.preventDefault());
find('clear').addEventListener('click', clearAll);
find('picture').addEventListener('click', event => {
  const row = event.target.closest('.pair');
  if (row) open(Number(row.dataset.number));
});
document.addEventListener('keydown', onKey);
addEventListener('hashchange', openFromAddress);
addEventListener('beforeprint', beforePrint);
addEventListener('afterprint', () => find('print').replaceChildren());
