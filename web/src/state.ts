// All that the page knows. Views read these signals; only poll.ts and the handlers of events write them.
import { computed, effect, signal } from '@preact/signals';
import type { Result, Status, Task, TaskList } from './api';

export const KEPT = 1000; // ended tasks; the daemon keeps more
export const PAGE = 200; // rows shown before "show more"

export const status = signal<Status | null>(null);
export const active = signal<Task[]>([]);
export const ended = signal<Task[]>([]); // the last to end first
export const offline = signal(false);

export type Show = 'all' | 'running' | 'hits' | 'compiled' | 'uncached' | 'failed';
export const SHOWN: Record<Show, Result[] | null> = {
  all: null,
  running: ['running'],
  hits: ['local_hit', 'remote_hit'],
  compiled: ['local_exec', 'remote_exec'],
  uncached: ['passthrough'],
  failed: ['failed', 'cancelled'],
};

export const show = signal<Show>('all');
export const search = signal('');
export const selected = signal<number | null>(null);
export const rows_limit = signal(PAGE);

// Puts a new list into what is known. A task may come twice, and one that ended is running no more.
export function merge(list: TaskList): void {
  const fresh = new Set(list.ended.map((task) => task.id));
  if (list.ended.length > 0) {
    ended.value = [...list.ended, ...ended.peek().filter((task) => !fresh.has(task.id))].slice(0, KEPT);
  }
  active.value = list.active.filter((task) => !fresh.has(task.id)).sort((a, b) => b.id - a.id);
}

export function forget(): void {
  ended.value = [];
  active.value = [];
}

const matches = (task: Task, words: string[]) => {
  const reason = `${task.reason.replaceAll('_', ' ')} ${task.reason}`;
  const text = `${task.source} ${task.output} ${reason}`.toLowerCase();
  return words.every((word) => text.includes(word));
};

export const rows = computed<Task[]>(() => {
  const results = SHOWN[show.value];
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  return [...active.value, ...ended.value].filter(
    (task) => (results === null || results.includes(task.result)) && matches(task, words),
  );
});

// The view is in the address, so that it survives a reload and can be sent to someone.
function read_hash(): void {
  const hash = new URLSearchParams(location.hash.slice(1));
  const wanted = hash.get('show');
  show.value = wanted !== null && Object.hasOwn(SHOWN, wanted) ? (wanted as Show) : 'all';
  search.value = hash.get('q') ?? '';
  const id = Number(hash.get('task'));
  selected.value = Number.isSafeInteger(id) && id > 0 ? id : null;
}

export function keep_state_in_hash(): void {
  read_hash();
  addEventListener('hashchange', read_hash);
  effect(() => {
    const hash = new URLSearchParams();
    if (show.value !== 'all') hash.set('show', show.value);
    if (search.value !== '') hash.set('q', search.value);
    if (selected.value !== null) hash.set('task', String(selected.value));
    const text = hash.toString();
    if (text !== location.hash.slice(1)) history.replaceState(null, '', text === '' ? '/' : `#${text}`);
  });
}

export type Theme = 'auto' | 'light' | 'dark';
const THEMES: Theme[] = ['auto', 'light', 'dark'];
const stored = localStorage.getItem('theme');
export const theme = signal<Theme>(THEMES.includes(stored as Theme) ? (stored as Theme) : 'auto');

export function keep_theme(): void {
  effect(() => {
    localStorage.setItem('theme', theme.value);
    document.documentElement.dataset.theme = theme.value;
  });
}

export function next_theme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? 'auto';
}
