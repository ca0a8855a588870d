// The page: reads the data, keeps the filters, and redraws the diagram whenever they change.

const data = JSON.parse(document.getElementById('data').textContent);
const networks = data.networks || [];
const statuses = new Map(data.statuses || []);
const ranks = new Map([...statuses.keys()].map((status, rank) => [status, rank]));
const meanings = new Map((data.meanings || []).map(meaning => [meaning.kind, meaning]));
const items = (data.items || []).map((item, number) => ({
  number, declared: true, forward: '', reverse: '', findings: [], changes: [], ...item, arrows: item.arrows || [],
}));
const networksById = new Map(networks.map(network => [network.id, network]));
for (const item of items) {
  item.text = searchText(item);
  item.warnings = item.findings.filter(finding => finding.severity === 'warning').length;
  for (const machine of item.machines || []) {
    const network = machine.runs_on ? networksById.get(machine.runs_on) : networks[machine.away ? item.recovery : item.primary];
    if (network) network.machines = (network.machines || 0) + 1;
  }
}

const find = id => document.getElementById(id);
const filters = { words: [], statuses: new Set(), vault: '', place: '', order: 'attention' };
const AT_ONCE = 60;
let shown = [];
let undrawn = [];
let soon = 0;
let opened = null;

function searchText(item) {
  const ends = [...networksOf(item)].map(number => networks[number]);
  return [
    item.name, item.vault, item.label, item.source, item.managed_by,
    ...ends.flatMap(network => [network.name, network.place, network.id, ...(network.space || [])]),
    ...item.findings.flatMap(finding => [finding.kind, finding.severity, finding.message]),
    ...item.changes.map(change => change.label),
    ...(item.machines || []).map(machine => machine.name),
  ].join('\n').toLowerCase();
}

function matches(item) {
  return filters.words.every(word => item.text.includes(word))
    && (!filters.statuses.size || filters.statuses.has(item.status))
    && (!filters.vault || item.vault === filters.vault)
    && (!filters.place || [item.primary, item.recovery].some(network => networks[network].place === filters.place));
}

// One collator for all comparisons: localeCompare with options makes one each time.
const names = new Intl.Collator('en', { numeric: true });

function compareItems(first, second) {
  const rank = filters.order === 'attention'
    ? ranks.get(first.status) - ranks.get(second.status) || Boolean(second.warnings) - Boolean(first.warnings) : 0;
  return rank || names.compare(first.name, second.name);
}

function draw() {
  shown = items.filter(matches).sort(compareItems);
  const lanes = lanesOf(shown, networks);
  undrawn = [];
  find('picture').replaceChildren(...lanes.map(lane => {
    const section = drawLane(lane);
    undrawn.push(...groupsOf(lane.items).map(items => ({ section, items, lane })));
    return section;
  }));
  drawGroups(AT_ONCE);
  find('findings').replaceChildren(...drawFindings(shownFindings(), meanings, isUnfolded, isListedWhole));
  const rows = find('picture').querySelectorAll('.pair');
  if (rows.length) rows[0].tabIndex = 0;
  find('count').textContent = `${format(shown.length)} of ${counted(items.length, 'pair')}`;
  find('nothing').hidden = shown.length > 0 || !items.length;
}

/** Draws the next groups and, a moment later, the others: thousands at once would keep the page blank for a second. */
function drawGroups(number) {
  clearTimeout(soon);
  for (const { section, items, lane } of undrawn.splice(0, number)) section.append(drawGroup(items, networks, lane));
  if (undrawn.length) soon = setTimeout(drawGroups, 0, AT_ONCE);
  markOpened();
}

/** The buttons of all pairs that are shown. */
function allRows() {
  drawGroups(undrawn.length);
  return [...find('picture').querySelectorAll('.pair')];
}

// --- findings ---

const MOST_UNFOLDED = 12;
const unfolded = new Map();
const listedWhole = new Set();

/** The findings of the pairs that are shown, and those of no pair that the search and the vault leave. */
function shownFindings() {
  const ofPairs = shown.flatMap(item => item.findings.map(finding => ({ finding, item })));
  const isLeft = ({ kind, severity, message, vault = '' }) => {
    const text = [kind, severity, message, vault].join('\n').toLowerCase();
    return !filters.statuses.size && !filters.place && (!filters.vault || vault === filters.vault)
      && filters.words.every(word => text.includes(word));
  };
  return [...(data.findings || []).filter(isLeft).map(finding => ({ finding, item: null })), ...ofPairs];
}

/** What the reader has unfolded; before that errors, or a few warnings where there are no errors. */
function isUnfolded(severity) {
  if (unfolded.has(severity)) return unfolded.get(severity);
  const number = wanted => shownFindings().filter(entry => entry.finding.severity === wanted).length;
  return severity === 'error' || (severity === 'warning' && !number('error') && number(severity) <= MOST_UNFOLDED);
}

function isListedWhole(severity, kind) {
  return listedWhole.has(`${severity} ${kind}`);
}

function onFindings(event) {
  const link = event.target.closest('a[data-number]'), button = event.target.closest('button.all');
  const heading = event.target.closest('.finding-list > summary');
  if (heading) {
    unfolded.set(heading.parentElement.dataset.severity, !heading.parentElement.open);
  } else if (link) {
    event.preventDefault();
    reveal(Number(link.dataset.number));
  } else if (button) {
    listedWhole.add(`${button.closest('details').dataset.severity} ${button.dataset.kind}`);
    draw();
  }
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
  find('details').replaceChildren(close, ...drawDetails(items[number], networks, meanings));
  find('details').hidden = false;
  find('details').scrollTop = 0;
  find('body').classList.add('split');
  find('details-title').focus({ preventScroll: true });
  history.replaceState(null, '', addressOf(items[number]));
  markOpened();
}

function addressOf(item) {
  return `#${encodeURIComponent(`${item.vault}/${item.name}`)}`;
}

/** Opens a pair and scrolls to its row. Filters that hide the row are cleared. */
function reveal(number) {
  if (!shown.includes(items[number])) clearAll();
  open(number);
  allRows().find(row => Number(row.dataset.number) === number).scrollIntoView({ block: 'center' });
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
  if (item) reveal(item.number);
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
  const rows = allRows();
  const next = Math.min(rows.length - 1, Math.max(0, rows.indexOf(row) + step));
  focusRow(rows[next]);
}

// --- the rest of the page ---

function drawMore() {
  const parts = [
    section('Other changes', data.changes, list => element('div', {}, ...list.map(drawChange))),
    section('What to do', sharedHints(items), list => element('ul', { class: 'advice' }, ...list.map(([text, pairs]) =>
      element('li', {}, ...prose(`for ${namedPairs(pairs)}: ${text}`))))),
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

// Nothing is compared with a declaration in a page of live pairs.
if (data.kind === 'live') Object.assign(LOOKS, { live: 'exists', held: 'one of several mappings of a network' });

function legend() {
  const used = new Set(items.flatMap(item => item.arrows.map(arrow => arrow.look)));
  const entries = Object.entries(LOOKS).filter(([look]) => used.has(look)).map(([look, label]) => {
    const sides = { left: new Map([[0, 0]]), right: new Map([[1, 0]]) };
    const sample = drawn('svg', { class: 'arrows sample', height: ROW, 'aria-hidden': 'true' });
    const arrow = { tail: 0, head: 1, look };
    sample.append(...drawArrow(arrow, sides, portsOf([arrow], sides)));
    return element('li', {}, sample, label);
  });
  return entries.length ? element('details', { class: 'block arrows-block', open: true },
    element('summary', {}, element('h2', {}, 'Arrows')), element('ul', { class: 'legend' }, ...entries)) : null;
}

function beforePrint() {
  const details = opened === null ? [] : [element('article', {}, ...drawDetails(items[opened], networks, meanings))];
  find('print').replaceChildren(...drawFindings(shownFindings(), meanings, () => true, () => true, isInPaperTable),
    ...drawPaper(shown, networks), ...details);
  for (const part of find('print').querySelectorAll('[id]')) part.removeAttribute('id');
  for (const others of find('print').querySelectorAll('.others')) others.open = true;
  for (const block of document.querySelectorAll('#more details')) block.open = true;
  find('picture').classList.toggle('printed', shown.length <= DRAWN_ON_PAPER);
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
find('findings').addEventListener('click', onFindings);
document.addEventListener('keydown', onKey);
addEventListener('hashchange', openFromAddress);
addEventListener('beforeprint', beforePrint);
addEventListener('afterprint', () => find('print').replaceChildren());
