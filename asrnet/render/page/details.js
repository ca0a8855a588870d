// The details of a pair: findings, what apply would do with the equivalent az commands, states, machines, subnets.

const ACTIONS = { create: ['+', 'create'], update: ['~', 'update'], delete: ['-', 'delete'] };

function drawDetails(item, networks, meanings) {
  return [
    element('header', {}, element('h2', { id: 'details-title', tabindex: -1 }, item.name), badge(item)),
    findingList(item.findings, meanings),
    changeList(item.changes),
    facts(item, networks),
    machineTable(item, networks),
    subnets(item, networks),
  ].filter(Boolean);
}

function facts(item, networks) {
  const from = networks[item.primary], to = networks[item.recovery];
  const rows = [
    ['Vault', item.vault],
    ['Declared', item.source && (item.by_rule ? `by a rule, ${item.source}` : item.source)],
    ['Managed by', item.managed_by],
    ['Forward', item.forward],
    ['Reverse', item.reverse],
    ['Primary', networkFacts(from)],
    ['Recovery', networkFacts(to)],
  ];
  const list = element('dl');
  for (const [term, value] of rows) if (value) list.append(element('dt', {}, term), element('dd', {}, value));
  return list;
}

function networkFacts(network) {
  const state = STATES[network.state];
  return element('span', {}, element('b', {}, network.name), ` in ${placeName(network.place)}`, state ? `, ${state}` : '',
    idText(network.id));
}

function subnets(item, networks) {
  if (!item.subnets || !item.subnets.length) return null;
  const from = networks[item.primary], to = networks[item.recovery];
  const heads = ['Subnet', from.name, to.name].map(text => element('th', { scope: 'col' }, text));
  const space = element('tr', { class: 'space' }, element('td', {}, 'address space'),
    element('td', {}, lines(from.space)), element('td', {}, lines(to.space)));
  return element('section', {}, element('h3', {}, 'Subnets'), element('div', { class: 'scroll' },
    element('table', { class: 'subnets' }, element('thead', {}, element('tr', {}, ...heads)),
      element('tbody', {}, space, ...item.subnets.map(subnetRow)))));
}

function subnetRow(subnet) {
  const primary = subnet.primary || [], recovery = subnet.recovery || [];
  const used = subnet.used ? `${subnet.used} in use` : '';
  let remark = '';
  if (!recovery.length) remark = subnet.lands ? `missing: machines land in ${subnet.lands}` : 'missing';
  else if (subnet.small) remark = 'too small';
  else if (primary.length && String(primary) !== String(recovery)) remark = 'different addresses';
  return element('tr', {}, element('th', { scope: 'row' }, subnet.name),
    element('td', {}, lines(primary), used && element('small', {}, used)),
    element('td', {}, lines(recovery), remark && element('small', { class: 'remark' }, remark)));
}

function lines(texts) {
  return element('span', {}, ...(texts || []).map(text => element('span', { class: 'range' }, text)));
}

function machineTable(item, networks) {
  if (!item.machines || !item.machines.length) return null;
  const rows = item.machines.map(machine => {
    const region = placeName(networks[machine.away ? item.recovery : item.primary].place);
    const lands = (machine.lands || []).join(', ') || 'not known';
    return element('tr', {}, element('th', { scope: 'row' }, machine.name, element('small', {}, machine.state)),
      element('td', {}, region, element('small', { class: machine.away ? 'remark' : '' }, machine.away ? 'recovery region' : '')),
      element('td', {}, lands, // The moves name the networks.
        machine.on_other_network && !(machine.moves || []).length ? element('small', { class: 'remark' }, 'another network than the pair\'s') : '',
        ...(machine.moves || []).map(move => element('small', {}, move.replace(' -> ', ' → '))),
        machine.remark ? element('small', { class: 'remark' }, machine.remark) : ''));
  });
  const heads = ['Machine', 'Runs in', 'Fails over to'].map(text => element('th', { scope: 'col' }, text));
  return element('section', {}, element('h3', {}, `Machines (${rows.length})`), element('div', { class: 'scroll' },
    element('table', { class: 'machines' }, element('thead', {}, element('tr', {}, ...heads)), element('tbody', {}, ...rows))));
}

const MESSAGES = 5;

/** The findings of a pair: by severity, then by kind, each kind with its explanation and each hint once. */
function findingList(findings, meanings) {
  if (!findings || !findings.length) return null;
  const bySeverity = Object.keys(SEVERITIES).flatMap(severity => findings.filter(finding => finding.severity === severity));
  const kinds = grouped(bySeverity, finding => `${finding.severity} ${finding.kind}`);
  return element('section', {}, element('h3', {}, 'Findings'),
    element('ul', { class: 'findings' }, ...[...kinds.values()].map(ofKind => drawFindingKind(ofKind, meanings))));
}

function drawFindingKind(findings, meanings) {
  const [{ kind, severity }] = findings;
  const meaning = meanings.get(kind);
  const parts = [...grouped(findings, finding => finding.hint || '')].flatMap(([text, sharing]) => {
    const messages = sharing.map(finding => element('p', {}, ...message(finding.message)));
    const others = messages.splice(MESSAGES);
    const folded = others.length
      ? element('details', { class: 'others' }, element('summary', {}, `${others.length} more`), ...others) : '';
    return [...messages, folded, text && hint(text, sharing.length)];
  });
  const isHinted = findings.every(finding => finding.hint);
  return element('li', { class: `finding ${severity}` }, icon(SEVERITIES[severity].shape),
    element('div', {}, element('b', {}, kind.replaceAll('_', ' ')), ' ',
      findings.length > 1 ? counted(findings.length, SEVERITIES[severity].noun) : severity, ...parts,
      meaning && element('p', { class: 'meaning' }, ...prose(isHinted ? meaning.meaning : `${meaning.meaning} ${meaning.remedy}`))));
}

function changeList(changes) {
  if (!changes || !changes.length) return null;
  const title = changes.some(change => change.outcome) ? 'What apply did' : 'What apply would do';
  return element('section', {}, element('h3', {}, title), ...changes.map(drawChange));
}

function drawChange(change) {
  const outcome = change.outcome && element('p', { class: `outcome ${change.outcome}` }, change.outcome,
    change.error ? `: ${change.error}` : '', change.seconds ? ` (${change.seconds.toFixed(1)} s)` : '');
  const remarks = [...(change.warnings || []), ...(change.hint ? [`hint: ${change.hint}`] : [])];
  return element('div', { class: 'change' }, element('p', {}, element('b', {}, change.label)),
    change.reason && element('p', { class: 'hint' }, change.reason), outcome,
    ...remarks.map(remark => element('p', { class: 'hint' }, remark)), differenceTable(change.differences),
    element('ol', {}, ...change.steps.map(drawStep)));
}

/** The hints of changes that concern several pairs, each with these pairs. */
function sharedHints(items) {
  const hinted = items.flatMap(item => [...new Set(item.changes.map(change => change.hint).filter(Boolean))].map(text => ({ text, item })));
  return [...grouped(hinted, ({ text }) => text)].filter(([, sharing]) => sharing.length > 1)
    .map(([text, sharing]) => [text, sharing.map(({ item }) => item)]);
}

const NAMED = 3;

function namedPairs(pairs) {
  const more = pairs.length > NAMED ? ` and ${format(pairs.length - NAMED)} more` : '';
  return pairs.slice(0, NAMED).map(item => item.name).join(', ') + more;
}

/** The old and the new values of an update, side by side. */
function differenceTable(differences) {
  if (!differences || !differences.length) return null;
  const heads = ['', 'Old', 'New'].map(text => element('th', { scope: 'col' }, text));
  return element('div', { class: 'scroll' }, element('table', { class: 'differences' },
    element('thead', {}, element('tr', {}, ...heads)),
    element('tbody', {}, ...differences.map(({ name, before, after }) => element('tr', {},
      element('th', { scope: 'row' }, name), element('td', {}, before || 'none'), element('td', {}, after || 'none'))))));
}

function drawStep(step) {
  const [symbol, word] = ACTIONS[step.action];
  const by = step.az && step.az.length && element('details', {}, element('summary', {}, 'Equivalent az command'), command(step.az));
  return element('li', {}, element('span', { class: `symbol ${step.action}`, title: word }, symbol), ' ',
    idText(step.id), by);
}

/** Command lines with a copy button. If the browser denies access to the clipboard, the text is selected instead. */
function command(texts) {
  const code = element('pre', { tabindex: 0 }, element('code', {}, texts.join('\n')));
  const button = element('button', { type: 'button', class: 'copy' }, 'Copy');
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(texts.join('\n'));
      button.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = 'Selected';
    }
  });
  return element('div', { class: 'command' }, code, button);
}
