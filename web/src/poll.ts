// Asks the daemon once a second for what is new, and not at all while nobody looks.
import { fetchStatus, fetchTasks } from './api';
import { forget, merge, offline, status } from './state';

const INTERVAL_MS = 1000;
const RETRY_MS = 3000;

let after = 0;
let start_ms = 0;
let timer = 0;
let request: AbortController | null = null;

async function ask(signal: AbortSignal): Promise<void> {
  const now = await fetchStatus(signal);
  if (now.start_ms !== start_ms) {
    // Another daemon: its tasks are numbered from one again.
    start_ms = now.start_ms;
    after = 0;
    forget();
  }
  const list = await fetchTasks(after, signal);
  after = list.next;
  merge(list);
  status.value = now;
}

async function tick(): Promise<void> {
  timer = 0;
  const current = new AbortController();
  request = current;
  const limit = setTimeout(() => current.abort(), 10_000);
  try {
    await ask(current.signal);
    offline.value = false;
  } catch {
    if (request === current) offline.value = true;
  }
  clearTimeout(limit);
  if (request !== current) return;
  timer = setTimeout(tick, offline.value ? RETRY_MS : INTERVAL_MS);
}

function stop(): void {
  clearTimeout(timer);
  const running = request;
  request = null;
  running?.abort();
}

export function start_polling(): void {
  document.addEventListener('visibilitychange', () => {
    stop();
    if (!document.hidden) void tick();
  });
  if (!document.hidden) void tick();
}
