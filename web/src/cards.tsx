// The figures above the table.
import { PHASES, type Phase, type Result, type Status } from './api';
import { PHASE_WORDS, RESULT_WORDS, bytes, count, duration, percent } from './format';
import { Meter } from './meter';
import { RemoteSide } from './remote';
import { search } from './state';

interface Part {
  name: string;
  label: string;
  value: number;
}

// A bar of coloured parts. It is decoration for those who see it; the words stand beside it.
export function Bar({ parts, kind, total }: { parts: Part[]; kind: 'result' | 'phase'; total?: number }) {
  const whole = total ?? parts.reduce((sum, part) => sum + part.value, 0);
  return (
    <div class="bar" aria-hidden="true">
      {whole > 0 &&
        parts
          .filter((part) => part.value > 0)
          .map((part) => (
            <span
              key={part.name}
              class={`${kind} ${part.name}`}
              style={{ width: `${(100 * part.value) / whole}%` }}
              title={part.label}
            />
          ))}
    </div>
  );
}

export function phaseParts(phases_us: Partial<Record<Phase, number>>): Part[] {
  const inside = (phases_us.queue ?? 0) + (phases_us.worker ?? 0);
  const rest = Math.max(0, (phases_us.remote ?? 0) - inside);
  const parts = { ...phases_us, remote: rest };
  return PHASES.filter((phase) => (parts[phase] ?? 0) > 0).map((phase) => {
    const value = parts[phase] ?? 0;
    return { name: phase, value, label: `${PHASE_WORDS[phase]}: ${duration(value)}` };
  });
}

const TOLD: Exclude<Result, 'running'>[] = [
  'local_hit', 'remote_hit', 'remote_exec', 'local_exec', 'passthrough', 'failed', 'cancelled',
];

function Legend({ kind, entries }: { kind: string; entries: [string, string, string][] }) {
  return (
    <ul class="legend">
      {entries.map(([name, word, value]) => (
        <li key={name}>
          <span class={`swatch ${kind} ${name}`} aria-hidden="true" />
          {word} <b>{value}</b>
        </li>
      ))}
    </ul>
  );
}

function HitRate({ now }: { now: Status }) {
  const told = TOLD.filter((result) => now.results[result] > 0);
  return (
    <section class="card wide" aria-labelledby="hit-rate">
      <h2 id="hit-rate">Hit rate</h2>
      <p class="figure">
        {now.tasks.hit_rate === null ? '–' : percent(now.tasks.hit_rate)}
        <small>
          {now.tasks.cacheable === 0
            ? 'no cacheable compile yet'
            : `${count(now.tasks.hits)} of ${count(now.tasks.cacheable)} cacheable compiles`}
        </small>
      </p>
      <Bar
        kind="result"
        parts={told.map((name) => ({ name, value: now.results[name], label: RESULT_WORDS[name] }))}
      />
      <Legend
        kind="result"
        entries={told.map((name) => [name, RESULT_WORDS[name], count(now.results[name])])}
      />
    </section>
  );
}

function Tasks({ now }: { now: Status }) {
  return (
    <section class="card" aria-labelledby="done">
      <h2 id="done">Compiles</h2>
      <p class="figure">
        {count(now.tasks.ended)}
        <small>{now.tasks.active > 0 ? `${count(now.tasks.active)} running now` : 'none running'}</small>
      </p>
      <Meter value={now.slots.running} limit={now.slots.limit} label="local slots in use" />
      <p class="note">
        {now.slots.running} of {now.slots.limit} local slots in use
        {now.slots.waiting > 0 && `, ${count(now.slots.waiting)} waiting`}
      </p>
    </section>
  );
}

function Saved({ now }: { now: Status }) {
  return (
    <section class="card" aria-labelledby="saved">
      <h2 id="saved">Saved</h2>
      <p class="figure">
        {duration(now.tasks.saved_us)}
        <small>of processor time</small>
      </p>
      <p class="note">What the hits would have cost.</p>
    </section>
  );
}

function Cache({ now }: { now: Status }) {
  const store = now.store;
  if (store === null) return null;
  return (
    <section class="card" aria-labelledby="cache">
      <h2 id="cache">Cache</h2>
      <p class="figure">
        {bytes(store.bytes)}
        <small>of {bytes(store.limit_bytes)}</small>
      </p>
      <Meter value={store.bytes} limit={store.limit_bytes} label="cache size in bytes" />
      <p class="note">
        {count(store.outcomes)} results kept
        {store.evicted > 0 && `, ${count(store.evicted)} entries made room`}
      </p>
    </section>
  );
}

function Time({ now }: { now: Status }) {
  const parts = phaseParts(now.phases_us);
  const whole = parts.reduce((sum, part) => sum + part.value, 0);
  if (whole === 0) return null;
  return (
    <section class="card" aria-labelledby="time">
      <h2 id="time">Where the time went</h2>
      <Bar kind="phase" parts={parts} />
      <Legend
        kind="phase"
        entries={parts.map(({ name, value }) => [name, PHASE_WORDS[name as Phase], percent(value / whole)])}
      />
    </section>
  );
}

function Reasons({ now }: { now: Status }) {
  const reasons = Object.entries(now.reasons).sort((a, b) => b[1] - a[1]);
  const most = reasons[0]?.[1] ?? 0;
  if (most === 0) return null;
  return (
    <section class="card" aria-labelledby="why">
      <h2 id="why">Why not cached</h2>
      <ul class="reasons">
        {reasons.slice(0, 6).map(([label, times]) => {
          const words = label.replaceAll('_', ' ');
          return (
            <li key={label}>
              <button
                type="button"
                onClick={() => (search.value = words)}
                title={`show the tasks: ${words}`}
              >
                <span class="share" style={{ width: `${(100 * times) / most}%` }} />
                <span>{words}</span>
                <b>{count(times)}</b>
              </button>
            </li>
          );
        })}
      </ul>
      {reasons.length > 6 && <p class="note">and {reasons.length - 6} more reasons</p>}
    </section>
  );
}

export function Cards({ now }: { now: Status }) {
  return (
    <div class="cards">
      <HitRate now={now} />
      <Tasks now={now} />
      <Saved now={now} />
      <Cache now={now} />
      <RemoteSide now={now} />
      <div class="pair">
        <Time now={now} />
        <Reasons now={now} />
      </div>
    </div>
  );
}
