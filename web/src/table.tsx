// The tasks: those under way first, then the last to end.
import type { Result, Task } from './api';
import { Bar, phaseParts } from './cards';
import { RESULT_HELP, RESULT_WORDS, clock, count, duration, pathParts, reasonParts } from './format';
import { PAGE, type Show, active, rows, rows_limit, search, selected, show, status } from './state';

const SHAPES: Record<Result, string> = {
  running: 'M6 1.5a4.5 4.5 0 1 1-4.5 4.5',
  local_hit: 'M6 1a5 5 0 1 0 0 10A5 5 0 1 0 6 1Z',
  remote_hit: 'M6 .5 11.5 6 6 11.5.5 6Z',
  remote_exec: 'M6 1 11.5 11H.5Z',
  local_exec: 'M1.5 1.5h9v9h-9Z',
  passthrough: 'M1.5 5h9v2h-9Z',
  failed: 'M2 2 10 10M10 2 2 10',
  cancelled: 'M6 1.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 1 0 0-9ZM3 9 9 3',
};

// Shape, colour and word together: colour alone tells nobody.
export function Outcome({ result }: { result: Result }) {
  return (
    <span class="outcome" title={RESULT_HELP[result]}>
      <svg class={`mark ${result}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
        <path d={SHAPES[result]} />
      </svg>
      {RESULT_WORDS[result]}
    </span>
  );
}

function Reason({ task }: { task: Task }) {
  if (task.reason === '') return task.exit_code === 0 ? null : <>exit status {task.exit_code}</>;
  const [label, detail] = reasonParts(task.reason);
  return (
    <>
      {label}
      {detail !== '' && <code title={detail}>{detail}</code>}
    </>
  );
}

function Row({ task }: { task: Task }) {
  const [folder, name] = pathParts(task.source || task.output || '(unnamed)');
  return (
    <tr class={task.result === 'failed' ? 'bad' : ''}>
      <td>
        <Outcome result={task.result} />
      </td>
      <td class="source">
        <button type="button" title={task.source} onClick={() => (selected.value = task.id)}>
          <span class="folder">{folder}</span>
          <span class="name">{name}</span>
        </button>
      </td>
      <td class="reason">
        <Reason task={task} />
      </td>
      <td class="number">{duration(task.total_us)}</td>
      <td class="phases">
        <Bar kind="phase" parts={phaseParts(task.phases_us)} total={Math.max(task.total_us, 1)} />
      </td>
      <td class="number when">{clock(task.start_ms)}</td>
    </tr>
  );
}

function counted(): [Show, string, number][] {
  const results = status.value?.results;
  if (results === undefined) return [];
  return [
    ['all', 'All', (status.value?.tasks.ended ?? 0) + active.value.length],
    ['running', 'Running', active.value.length],
    ['hits', 'Hits', results.local_hit + results.remote_hit],
    ['compiled', 'Compiled', results.local_exec + results.remote_exec],
    ['uncached', 'Not cached', results.passthrough],
    ['failed', 'Failed', results.failed + results.cancelled],
  ];
}

function Filters() {
  return (
    <div class="filters">
      <div class="chips" role="group" aria-label="Which tasks to show">
        {counted().map(([name, word, number]) => (
          <button
            type="button"
            key={name}
            aria-pressed={show.value === name}
            onClick={() => (show.value = name)}
          >
            {word} <b>{count(number)}</b>
          </button>
        ))}
      </div>
      <input
        type="search"
        id="search"
        placeholder="Search file or reason"
        aria-label="Search file or reason"
        value={search.value}
        onInput={(event) => (search.value = event.currentTarget.value)}
      />
    </div>
  );
}

export function Table() {
  const all = rows.value;
  const shown = all.slice(0, rows_limit.value);
  const nothing = (status.value?.tasks.started ?? 0) === 0;
  return (
    <section class="tasks" aria-labelledby="tasks">
      <h2 id="tasks" class="hidden">
        Tasks
      </h2>
      <Filters />
      <div class="scroll" tabIndex={0} role="region" aria-labelledby="tasks">
        <table>
          <caption class="hidden">Tasks under way first, then the last to end</caption>
          <thead>
            <tr>
              <th scope="col">Result</th>
              <th scope="col">Source</th>
              <th scope="col">Why</th>
              <th scope="col" class="number">Time</th>
              <th scope="col">Phases</th>
              <th scope="col" class="number">Started</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((task) => (
              <Row key={task.id} task={task} />
            ))}
          </tbody>
        </table>
        {all.length === 0 && (
          <p class="empty">
            {nothing ? (
              <>
                No compile yet. Put gomacc before your compiler: <code>gomacc g++ -c hello.cc</code>
              </>
            ) : (
              'No task like this among the last ones.'
            )}
          </p>
        )}
        {all.length > shown.length && (
          <button type="button" class="more" onClick={() => (rows_limit.value += PAGE)}>
            Show more: {count(all.length - shown.length)} left
          </button>
        )}
      </div>
    </section>
  );
}
