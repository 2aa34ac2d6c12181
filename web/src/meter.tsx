// How much of a bound is in use.
export function Meter({ value, limit, label }: { value: number; limit: number; label: string }) {
  const share = limit > 0 ? Math.min(1, value / limit) : 0;
  const numbers = { 'aria-valuemin': 0, 'aria-valuemax': limit, 'aria-valuenow': value };
  return (
    <div class="bar" role="meter" aria-label={label} {...numbers}>
      <span class="fill" style={{ width: `${100 * share}%` }} />
    </div>
  );
}
