// The remote side: who answers, what we may do there, and how much is under way.
import type { Backend, Credentials, Remote, Status } from './api';
import { MODE_WORDS, bytes, count, duration } from './format';
import { Meter } from './meter';

type Fact = [name: string, value: string, state: 'ok' | 'warn' | 'error' | ''];

function rights(backend: Backend): Fact {
  const may = [
    backend.rights.read && 'read',
    backend.rights.execute && 'execute',
    backend.rights.update && 'store results',
  ].filter(Boolean);
  const refusal = backend.refusal === '' ? '' : `; ${backend.refusal}`;
  return ['Rights', (may.length > 0 ? may.join(', ') : 'none') + refusal, ''];
}

function answers(backend: Backend, now_ms: number): Fact {
  if (backend.breaker === 'open') {
    const wait = Math.max(0, backend.open_until_ms - now_ms);
    return ['Answers', `no; asked again in ${duration(wait * 1000)}. ${backend.last_error}`, 'error'];
  }
  if (backend.breaker === 'half_open') return ['Answers', `asking again. ${backend.last_error}`, 'warn'];
  if (!backend.reached) return ['Answers', 'not asked yet', ''];
  const latency = backend.latency_us > 0 ? `in ${duration(backend.latency_us)}` : 'yes';
  return ['Answers', backend.last_error === '' ? latency : `${latency}; ${backend.last_error}`, 'ok'];
}

function endpoint(backend: Backend, now_ms: number): Fact[] {
  const facts: Fact[] = [
    [backend.kind === 'http' ? 'HTTP cache' : 'Endpoint', backend.address, ''],
    answers(backend, now_ms),
    rights(backend),
    ['Traffic', `${bytes(backend.received_bytes)} down, ${bytes(backend.sent_bytes)} up`, ''],
  ];
  if (backend.warning !== '') facts.push(['Warning', backend.warning, 'warn']);
  return facts;
}

function credentials(now: Credentials, now_ms: number): Fact[] {
  if (!now.configured) return [['Credentials', 'none configured', '']];
  const facts: Fact[] = [['Credentials', now.source, now.usable ? 'ok' : 'warn']];
  if (now.expires_ms > 0) {
    const left = now.expires_ms - now_ms;
    facts.push(['Expire', left > 0 ? `in ${duration(left * 1000)}` : 'have expired', left > 0 ? '' : 'warn']);
  }
  if (now.problem !== '') facts.push(['Problem', now.problem, 'warn']);
  return facts;
}

function service(remote: Remote): Fact[] {
  const now = remote.service;
  if (now === null) return [];
  const states = { up: 'ok', degraded: 'warn', down: 'error' } as const;
  const words = [now.text || now.state, now.uptime !== '' && `uptime ${now.uptime}`].filter(Boolean);
  return [['Service', words.join(', '), states[now.state as keyof typeof states] ?? '']];
}

const MARKS = { ok: '✓', warn: '!', error: '✕', '': '' };

function Facts({ facts }: { facts: Fact[] }) {
  return (
    <dl>
      {facts.map(([name, value, state]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class={state}>
            {state !== '' && <span aria-hidden="true">{MARKS[state]} </span>}
            {value}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function InFlight({ remote }: { remote: Remote }) {
  const races = remote.races.remote + remote.races.local;
  return (
    <div>
      <p class="figure">
        {count(remote.in_flight)}
        <small>of {count(remote.limit)} remote calls in flight</small>
      </p>
      <Meter value={remote.in_flight} limit={remote.limit} label="remote calls in flight" />
      <p class="note">
        {remote.waiting > 0
          ? `${count(remote.waiting)} wait here; the limit holds whatever -j says`
          : 'none waiting'}
        {races > 0 && `; of ${count(races)} races the cluster won ${count(remote.races.remote)}`}
      </p>
    </div>
  );
}

export function RemoteSide({ now }: { now: Status }) {
  const remote = now.remote;
  if (remote.backends.length === 0 && remote.service === null && remote.because === '') return null;
  const [mode, help] = MODE_WORDS[remote.mode] ?? [remote.mode, ''];
  return (
    <section class="card full" aria-labelledby="remote">
      <h2 id="remote">Remote</h2>
      <div class="columns">
        <div>
          <p>
            <span class={`pill ${remote.mode === 'none' ? 'mode' : 'ok'}`}>{mode}</span>
          </p>
          <p class="note">{help}</p>
          {remote.because !== '' && <p class="because">{remote.because}</p>}
        </div>
        <InFlight remote={remote} />
        {remote.backends.map((backend) => (
          <Facts key={backend.address} facts={endpoint(backend, now.now_ms)} />
        ))}
        <Facts facts={[...credentials(remote.credentials, now.now_ms), ...service(remote)]} />
      </div>
    </section>
  );
}
