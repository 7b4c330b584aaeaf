// Numbers on the screen against the API's at the same sequence number. Each number of the dashboard carries its name in
// `data-testid`, the sequence number it belongs to in `data-seq`, and its exact text in `value`.

/** Where the API has the number of that name, for those that are compared. */
const SOURCES = [
  [/^(equity|change|realized|unrealized)$/, "status", (status, [, name]) => status.equity[name]],
  [/^(signals|denials|fills|orders|wakes)$/, "status", (status, [, name]) => status.counters[name]],
  [/^partial-fills$/, "status", status => status.counters.partial_fills],
  [/^bots-(\w+)$/, "bots", (bots, [, state]) => bots.items.filter(bot => bot.state === state).length],
  [/^exchange-(.+)$/, "balances", (table, [, asset]) => balance(table, asset).exchange?.total],
  [/^desk-(.+)$/, "balances", (table, [, asset]) => balance(table, asset).desk],
  [/^difference-(.+)$/, "balances", (table, [, asset]) => balance(table, asset).difference],
];

const balance = (table, asset) => table.items.find(item => item.asset === asset) ?? {};

/** Every number on the screen, read in one go. */
export function onScreen(page) {
  return page.$$eval("data[data-testid][data-seq]", elements =>
    elements.map(element => ({
      name: element.dataset.testid,
      seq: element.dataset.seq,
      value: element.value,
      text: element.textContent,
    })),
  );
}

/** Compares what can be compared: how many agreed, and in words each that did not. */
export function compare(numbers, answers) {
  const agreed = new Set();
  const wrong = [];
  for (const { name, seq, value, text } of numbers) {
    const source = SOURCES.find(([pattern]) => pattern.test(name));
    const answer = source && answers.get(`${source[1]} ${seq}`);
    if (!answer) continue;
    const expected = source[2](answer, source[0].exec(name));
    if (String(expected) === value && isReadAs(text, value)) agreed.add(name);
    else
      wrong.push(
        `${name} at seq ${seq}: the API says ${expected}, the screen has ${value} and reads ${text}`,
      );
  }
  return { agreed, wrong };
}

/** Whether the text for people is that number: to the last digit, or to the two digits that amounts are rounded to. */
function isReadAs(text, value) {
  const plain = text.replaceAll(",", "").replace("−", "-").replace("+", "");
  if (plain === value) return true;
  return /\.\d\d$/.test(plain) && Math.abs(Number(plain) - Number(value)) <= 0.005000001;
}
