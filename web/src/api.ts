// What the daemon answers; see proxy/serve/status_json.h. `_us` are microseconds, `_ms` milliseconds since
// the epoch.

export const RESULTS = [
  'running', 'local_hit', 'remote_hit', 'remote_exec', 'local_exec', 'passthrough', 'failed', 'cancelled',
] as const;
export type Result = (typeof RESULTS)[number];

// In the order in which they happen. What `queue` and `worker` say is part of `remote`.
export const PHASES = [
  'accept', 'slot_wait', 'compiler', 'scan', 'digest', 'lookup', 'remote', 'queue', 'worker', 'execute',
  'store', 'write',
] as const;
export type Phase = (typeof PHASES)[number];
export type Phases = Partial<Record<Phase, number>>;

export interface Backend {
  address: string;
  kind: string;
  breaker: 'closed' | 'open' | 'half_open';
  reached: boolean;
  latency_us: number;
  last_error: string;
  open_until_ms: number;
  rights: { read: boolean; execute: boolean; update: boolean };
  refusal: string;
  warning: string;
  sent_bytes: number;
  received_bytes: number;
}

export interface Credentials {
  configured: boolean;
  usable: boolean;
  source: string;
  expires_ms: number; // 0 if unknown
  problem: string;
}

export interface Remote {
  mode: string;
  because: string;
  degraded: boolean;
  backends: Backend[];
  credentials: Credentials;
  in_flight: number;
  waiting: number;
  limit: number;
  races: { remote: number; local: number };
  service: null | { state: string; text: string; uptime: string };
}

export interface Status {
  version: string;
  mode: string;
  health: string;
  pid: number;
  socket: string;
  log: string;
  start_ms: number;
  now_ms: number;
  slots: { limit: number; running: number; waiting: number };
  tasks: {
    started: number;
    ended: number;
    active: number;
    max_active: number;
    mismatches: number;
    saved_us: number;
    hits: number;
    cacheable: number;
    hit_rate: number | null;
  };
  results: Record<Exclude<Result, 'running'>, number>;
  reasons: Record<string, number>;
  phases_us: Phases;
  store: null | { bytes: number; limit_bytes: number; outcomes: number; evicted: number; last_error: string };
  remote: Remote;
}

export interface Task {
  id: number;
  result: Result;
  exit_code: number;
  start_ms: number;
  total_us: number;
  compile_us: number;
  phases_us: Phases;
  source: string;
  output: string;
  reason: string;
}

export interface TaskDetail extends Task {
  pid: number;
  inputs: number;
  directory: string;
  command: string;
  action: string;
}

export interface TaskList {
  active: Task[];
  ended: Task[]; // the last to end first
  next: number; // what to pass as `after` the next time
}

async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await fetch(path, { signal, cache: 'no-store' });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

export const fetchStatus = (signal: AbortSignal) => get<Status>('/api/v1/status', signal);
export const fetchTasks = (after: number, signal: AbortSignal) =>
  get<TaskList>(`/api/v1/tasks?after=${after}&limit=1000`, signal);
export const fetchTask = (id: number) => get<TaskDetail>(`/api/v1/tasks/${id}`);
