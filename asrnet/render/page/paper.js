// The page on paper: a table of pairs, whose heads browsers repeat on every sheet, and every finding. Nothing can be
// opened on paper, so nothing is folded there and no name is cut.

const DRAWN_ON_PAPER = 20;

function drawPaper(items, networks) {
  const shared = new Set(sharedHints(items).map(([text]) => text));
  const lanes = grouped(items, item => JSON.stringify([item.vault, networks[item.primary].place, networks[item.recovery].place]));
  return [...lanes.values()].map(lane => paperTable(lane, networks, shared));
}

function paperTable(items, networks, sharedTexts) {
  const [{ vault, primary, recovery }] = items;
  const title = `Vault ${vault}: ${placeName(networks[primary].place)} to ${placeName(networks[recovery].place)}, ${counted(items.length, 'pair')}`;
  const heads = ['Pair', 'State', 'Primary', 'Recovery', 'Forward', 'Reverse'];
  return element('table', { class: 'paper' },
    element('thead', {}, element('tr', {}, element('th', { colspan: heads.length, class: 'lane-title' }, title)),
      element('tr', {}, ...heads.map(head => element('th', { scope: 'col' }, head)))),
    ...items.map(item => paperPair(item, networks, sharedTexts)));
}

function errorMessages(item) {
  return [...new Set(item.findings.filter(finding => finding.severity === 'error').map(finding => finding.message))];
}

/** Whether the table says this finding below its pair: the reasons of a pair are only shortened where they are many. */
function isInPaperTable({ finding, item }) {
  return Boolean(item) && finding.severity === 'error' && !isShortened(errorMessages(item));
}

/** `sharedTexts` are the hints of several pairs, which the page gives once, under "What to do". */
function paperPair(item, networks, sharedTexts) {
  const networkCell = number => {
    const { name, state } = networks[number];
    return element('td', {}, name, STATES[state] ? ` (${STATES[state]})` : '');
  };
  const row = element('tr', {}, element('th', { scope: 'row' }, item.name),
    element('td', { class: `badge ${item.status}` }, icon(ICONS[item.status]), item.label),
    networkCell(item.primary), networkCell(item.recovery),
    element('td', {}, lastPart(item.forward)), element('td', {}, lastPart(item.reverse)));
  // The list of findings has the rest. What will be created can be seen from the states.
  const remarks = [
    ...shortened(errorMessages(item)),
    ...item.changes.filter(change => change.outcome || change.differences).map(change =>
      change.label + (change.reason ? `: ${change.reason}` : '') + outcomeText(change, sharedTexts)),
    machinesAway(item, networks),
  ].filter(Boolean);
  const below = remarks.map(text => element('tr', { class: 'remark-row' }, element('td', { colspan: 6 }, text)));
  return element('tbody', {}, row, ...below);
}

/** The name in an id, or the text itself: the two directions are ids of mappings in a page of live pairs. */
function lastPart(text) {
  return text.startsWith('/') ? text.slice(text.lastIndexOf('/') + 1) : text;
}

function outcomeText(change, sharedTexts) {
  const remarks = [change.error, ...(change.warnings || []), change.hint && !sharedTexts.has(change.hint) && `hint: ${change.hint}`].filter(Boolean);
  return change.outcome ? ` (${[change.outcome, ...remarks].join(': ')})` : '';
}
