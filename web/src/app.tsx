// The status page of the daemon on this machine.
import { useSignal } from '@preact/signals';
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Status } from './api';
import { Cards } from './cards';
import { Detail } from './detail';
import { MODE_WORDS, count, duration, percent } from './format';
import { start_polling } from './poll';
import { keep_state_in_hash, keep_theme, next_theme, offline, status, theme } from './state';
import { Table } from './table';

function Health({ now }: { now: Status }) {
  const [word] = now.health.split(':');
  const state = offline.value ? 'error' : word === 'ok' || word === 'error' ? word : 'warn';
  // What is amiss stands beside the remote side; here it would be too long.
  const words = word === 'ok' ? 'running' : word === 'running' ? 'degraded' : now.health;
  return (
    <span class={`pill ${state}`} title={now.health}>
      {offline.value ? 'not reachable' : words}
    </span>
  );
}

function Header({ now }: { now: Status }) {
  const [mode, help] = MODE_WORDS[now.mode] ?? [now.mode, ''];
  return (
    <header class="top">
      <img src="/static/icon.svg" alt="" width="32" height="32" />
      <h1>goma</h1>
      <Health now={now} />
      <span class="pill mode" title={help}>
        {mode}
      </span>
      <span class="grow" />
      <span class="about">
        {now.version.split(' ')[0]}, pid {now.pid}, up {duration((now.now_ms - now.start_ms) * 1000)}
      </span>
      <button type="button" onClick={next_theme}>
        Theme: {theme.value}
      </button>
    </header>
  );
}

function Banners({ now }: { now: Status }) {
  const banners: string[] = [];
  if (offline.value) {
    banners.push('The daemon does not answer. Builds go on without it; this page keeps trying.');
  }
  const error = now.store?.last_error ?? '';
  if (error !== '') banners.push(`The cache cannot keep new results: ${error}`);
  if (now.tasks.mismatches > 0) {
    banners.push(
      `${count(now.tasks.mismatches)} compiles read a file that the scan had not found. ` +
        'Their objects are right, and were not kept.',
    );
  }
  return (
    <>
      {banners.map((text) => (
        <p class="banner" role="alert" key={text}>
          {text}
        </p>
      ))}
    </>
  );
}

function summary(now: Status): string {
  const rate = now.tasks.hit_rate === null ? '' : `, hit rate ${percent(now.tasks.hit_rate)}`;
  return `${now.tasks.ended} compiles done, ${now.tasks.active} running${rate}`;
}

// Told to screen readers, and not more often than they can say it.
function Spoken() {
  const text = useSignal('');
  useEffect(() => {
    const speak = () => {
      const now = status.peek();
      text.value = now === null ? '' : summary(now);
    };
    const timer = setInterval(speak, 10_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <p class="hidden" aria-live="polite">
      {text.value}
    </p>
  );
}

function App() {
  const now = status.value;
  if (now === null) {
    const text = offline.value ? 'The daemon does not answer. Trying again.' : 'Asking the daemon.';
    return <p class="empty">{text}</p>;
  }
  return (
    <>
      <Header now={now} />
      <main>
        <Banners now={now} />
        <Cards now={now} />
        <Table />
      </main>
      <Detail />
      <Spoken />
    </>
  );
}

function keys(event: KeyboardEvent): void {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.target instanceof HTMLInputElement) return;
  const field = document.getElementById('search');
  if (field === null) return;
  event.preventDefault();
  field.focus();
}

keep_theme();
keep_state_in_hash();
addEventListener('keydown', keys);
render(<App />, document.body);
start_polling();
