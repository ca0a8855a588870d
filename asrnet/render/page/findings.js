// The list of findings: by severity, then by kind. What the findings of a kind have in common is said once.

const SEVERITIES = {
  error: { shape: 'bar', title: 'Errors', noun: 'error' },
  warning: { shape: 'warn', title: 'Warnings', noun: 'warning' },
  info: { shape: 'note', title: 'Notes', noun: 'note' },
};
const LISTED = 10;
const LONG = 120;

/** The list of `entries`, each a finding and its pair or null. `isOpen` and `isComplete` say what is unfolded.
 *  Entries that are `isInTable` are counted and not listed: paper shows them in the table of pairs. */
function drawFindings(entries, meanings, isOpen, isComplete, isInTable = () => false) {
  return Object.keys(SEVERITIES).map(severity => {
    const listed = entries.filter(entry => entry.finding.severity === severity);
    if (!listed.length) return null;
    const { shape, title } = SEVERITIES[severity];
    const heading = element('summary', {}, icon(shape), element('h2', {}, title), ' ',
      element('span', { class: 'quiet' }, format(listed.length)));
    const kinds = [...grouped(listed, entry => entry.finding.kind)].map(([kind, ofKind]) =>
      drawKind(kind, ofKind, meanings.get(kind), isComplete(severity, kind) ? ofKind.length : LISTED, isInTable));
    return element('details', { class: `finding-list ${severity}`, 'data-severity': severity, open: isOpen(severity) },
      heading, ...kinds);
  }).filter(Boolean);
}

function grouped(values, keyOf) {
  const groups = new Map();
  for (const value of values) {
    const key = keyOf(value);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(value);
  }
  return groups;
}

function drawKind(kind, entries, meaning, most, isInTable) {
  const hints = grouped(entries, entry => entry.finding.hint || '');
  const parts = [];
  let left = most;
  for (const [text, sharing] of hints) {
    if (left <= 0) break;
    const listed = sharing.filter(entry => !isInTable(entry));
    parts.push(element('ul', {}, ...listed.slice(0, left).map(drawEntry)));
    const others = sharing.length - listed.length;
    if (others) parts.push(element('p', {}, `${format(others)} in the table of pairs`));
    left -= sharing.length;
    if (text) parts.push(hint(text, sharing.length, true));
  }
  if (entries.length > most) {
    const label = `Show all ${format(entries.length)}`;
    parts.push(element('button', { type: 'button', class: 'all', 'data-kind': kind }, label));
  }
  // A hint is about this very finding. If there is none, the remedy of its kind is shown.
  const explained = meaning && element('p', { class: 'meaning' },
    ...prose(hints.has('') ? `${meaning.meaning} ${meaning.remedy}` : meaning.meaning));
  return element('section', { class: 'kind' },
    element('h3', {}, kind.replaceAll('_', ' '), ' ', element('span', { class: 'quiet' }, format(entries.length))),
    explained, ...parts);
}

function drawEntry({ finding, item }) {
  const where = item
    ? element('a', { href: addressOf(item), 'data-number': item.number }, item.name)
    : element('span', { class: 'quiet' }, finding.vault ? `vault ${finding.vault}` : '');
  return element('li', {}, where, element('span', {}, ...message(finding.message)));
}

/** The message of a finding. No line break cuts an arrow. */
function message(text) {
  return text.split(/(->)/).map((part, index) => index % 2 ? element('span', { class: 'option' }, part) : part);
}

/** A text whose words in backticks are code. No line break cuts these or an option. */
function prose(text) {
  return text.split(/(`[^`]+`|--[a-z][a-z-]*)/).map((part, index) => {
    if (index % 2 === 0) return part;
    return part.startsWith('`') ? element('code', {}, part.slice(1, -1)) : element('span', { class: 'option' }, part);
  });
}

/** What to do about a finding, or about several that share it. What is long is folded in a list. */
function hint(text, sharing = 1, isInList = false) {
  const shown = text.startsWith('az ') ? command([text])
    : element('p', { class: 'hint' }, ...prose(sharing > 1 ? `for these ${format(sharing)}: ${text}` : text));
  return isInList && sharing === 1 && text.length > LONG
    ? element('details', { class: 'folded' }, element('summary', {}, 'What to do'), shown) : shown;
}
