// Numbers and names in words.
import type { Phase, Result } from './api';

const NARROW = '\u202f'; // between a number and its unit

export function duration(us: number): string {
  const ms = us / 1000;
  if (ms < 10) return `${ms.toFixed(1)}${NARROW}ms`;
  if (ms < 1000) return `${Math.round(ms)}${NARROW}ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)}${NARROW}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}${NARROW}min ${Math.floor(seconds % 60)}${NARROW}s`;
  return `${count(Math.floor(minutes / 60))}${NARROW}h ${minutes % 60}${NARROW}min`;
}

export const count = (value: number) => value.toLocaleString('en').replaceAll(',', '\u202f');

export function percent(part: number): string {
  const text = (part * 100).toFixed(1);
  return part > 0 && text === '0.0' ? `<0.1${NARROW}%` : `${text}${NARROW}%`;
}

export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)}${NARROW}${units[unit]}`;
}

export const clock = (ms: number) => new Date(ms).toLocaleTimeString('en-GB');

export function pathParts(path: string): [string, string] {
  const slash = path.lastIndexOf('/') + 1;
  return [path.slice(0, slash), path.slice(slash)];
}

// "unknown_flag: -foo" as "unknown flag" and "-foo".
export function reasonParts(reason: string): [string, string] {
  const colon = reason.indexOf(':');
  const label = colon < 0 ? reason : reason.slice(0, colon);
  return [label.replaceAll('_', ' '), colon < 0 ? '' : reason.slice(colon + 1).trim()];
}

export const RESULT_WORDS: Record<Result, string> = {
  running: 'running',
  local_hit: 'local hit',
  remote_hit: 'remote hit',
  remote_exec: 'remote',
  local_exec: 'compiled',
  passthrough: 'not cached',
  failed: 'failed',
  cancelled: 'cancelled',
};

export const RESULT_HELP: Record<Result, string> = {
  running: 'under way',
  local_hit: 'answered by the cache on this machine',
  remote_hit: 'answered by a remote cache',
  remote_exec: 'compiled on the cluster',
  local_exec: 'compiled here, for want of a cached result',
  passthrough: 'ran here; a compile like this cannot be cached',
  failed: 'the compiler reported an error',
  cancelled: 'the build went away',
};

export const PHASE_WORDS: Record<Phase, string> = {
  accept: 'accept',
  slot_wait: 'wait for a slot',
  compiler: 'identify compiler',
  scan: 'find inputs',
  digest: 'hash',
  lookup: 'look up',
  remote: 'to and from the cluster',
  queue: 'wait for a worker',
  worker: 'on the worker',
  execute: 'compile',
  store: 'store',
  write: 'write outputs',
};

export const MODE_WORDS: Record<string, [string, string]> = {
  local: ['local', 'Results are kept on this machine; nobody else is asked.'],
  'cache-only': ['cache only', 'Results come from this machine and a remote cache; compiles run here.'],
  cluster: ['cluster', 'Results come from this machine and a cluster, which also compiles.'],
  none: ['off', 'Nothing is cached.'],
};
