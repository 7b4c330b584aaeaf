// The command line: run.mjs BASE_URL LOGIN_URL [PID] [--kill CMD] [--restart CMD] [--shots DIR] [--bots N]

const USAGE = `usage: node run.mjs BASE_URL LOGIN_URL [PID] [--kill CMD] [--restart CMD] [--shots DIR] [--bots N]

  BASE_URL     the desk, such as http://127.0.0.1:8787
  LOGIN_URL    the one-time link it printed
  PID          process to end with SIGKILL, to see the page go stale
  --kill CMD   a shell command that ends it instead
  --restart CMD  a shell command that starts it again at the same address; without it nothing has to heal
  --shots DIR  where screenshots go (target/browser)
  --bots N     how many bots to wait for (45)`;

/** Reads the arguments; ends the process with the usage if they make no sense. */
export function parse(args) {
  const named = {};
  const plain = [];
  for (let at = 0; at < args.length; at += 1) {
    const name = /^--(kill|restart|shots|bots)$/.exec(args[at])?.[1];
    if (name) {
      at += 1;
      named[name] = args[at];
    } else plain.push(args[at]);
  }
  const [base, login, pid] = plain;
  if (!base || !login || plain.length > 3 || Object.values(named).includes(undefined)) {
    console.error(USAGE);
    process.exit(2);
  }
  const shots = named.shots ?? new URL("../../target/browser", import.meta.url).pathname;
  return {
    base,
    login,
    pid: pid && Number(pid),
    kill: named.kill,
    restart: named.restart,
    shots,
    bots: Number(named.bots ?? 45),
  };
}
