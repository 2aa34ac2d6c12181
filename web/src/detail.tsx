// One task in full.
import { useSignal, useSignalEffect } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { type TaskDetail, fetchTask } from './api';
import { Bar, phaseParts } from './cards';
import { RESULT_HELP, clock, count, duration, reasonParts } from './format';
import { active, selected } from './state';
import { Outcome } from './table';

function Facts({ task }: { task: TaskDetail }) {
  const copied = useSignal(false);
  const [label, detail] = reasonParts(task.reason);
  const facts: [string, string][] = [
    ['Output', task.output],
    ['Folder', task.directory],
    ['Started', clock(task.start_ms)],
    ['Files read', task.inputs > 0 ? count(task.inputs) : ''],
    ['Compile', task.compile_us > 0 ? `${duration(task.compile_us)} of processor time` : ''],
    ['Process', task.pid > 0 ? String(task.pid) : ''],
    ['Exit status', task.result === 'running' ? '' : String(task.exit_code)],
    ['Action', task.action],
  ];
  const copy = async () => {
    await navigator.clipboard.writeText(task.command);
    copied.value = true;
  };
  return (
    <>
      <p class="summary">
        <Outcome result={task.result} /> in {duration(task.total_us)}, {RESULT_HELP[task.result]}
      </p>
      {task.reason !== '' && (
        <p class="because">
          {label}
          {detail !== '' && <code>{detail}</code>}
        </p>
      )}
      <Bar kind="phase" parts={phaseParts(task.phases_us)} total={Math.max(task.total_us, 1)} />
      <ul class="legend">
        {phaseParts(task.phases_us).map((part) => (
          <li key={part.name}>
            <span class={`swatch phase ${part.name}`} aria-hidden="true" />
            {part.label}
          </li>
        ))}
      </ul>
      <dl>
        {facts
          .filter(([, value]) => value !== '')
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
      {task.command !== '' && (
        <>
          <div class="command">
            <h3>Command</h3>
            <button type="button" onClick={copy}>
              {copied.value ? 'Copied' : 'Copy'}
            </button>
          </div>
          <pre tabIndex={0}>{task.command}</pre>
        </>
      )}
    </>
  );
}

export function Detail() {
  const dialog = useRef<HTMLDialogElement>(null);
  const task = useSignal<TaskDetail | null>(null);
  const failed = useSignal(false);
  const live = useSignal(false);

  useSignalEffect(() => {
    const id = selected.value;
    if (id === null) {
      dialog.current?.close();
      task.value = null;
      return;
    }
    // Asked again at each poll while the task runs, and once more when it has ended.
    const running = active.value.some((other) => other.id === id);
    if (task.peek()?.id === id && !running && !live.peek()) return;
    live.value = running;
    if (dialog.current?.open === false) dialog.current.showModal();
    fetchTask(id).then(
      (detail) => {
        if (selected.peek() !== id) return;
        failed.value = false;
        task.value = detail;
      },
      () => (failed.value = true),
    );
  });

  const shown = task.value;
  return (
    <dialog
      ref={dialog}
      aria-labelledby="detail"
      onClose={() => (selected.value = null)}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="inner">
        <header>
          <h2 id="detail">{shown?.source || shown?.output || `Task ${selected.value ?? ''}`}</h2>
          <button type="button" aria-label="Close" onClick={() => (selected.value = null)}>
            ×
          </button>
        </header>
        {failed.value && <p>This task is not known any more.</p>}
        {shown !== null && <Facts task={shown} />}
      </div>
    </dialog>
  );
}
