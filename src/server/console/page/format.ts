const LOCALE = 'en-US';
const A_MINUTE = 60_000;

const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(LOCALE, { notation: 'compact', maximumSignificantDigits: 3 });
const clock = new Intl.DateTimeFormat(LOCALE, {
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
  timeZone: 'UTC',
});
const day = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', timeZone: 'UTC' });
const date = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeZone: 'UTC' });
const ago = new Intl.RelativeTimeFormat(LOCALE, { numeric: 'auto' });

/** `1,234`; from a million on `1.23M`. */
export function count(value: number): string {
  return value >= 1_000_000 ? short.format(value) : whole.format(value);
}

/** `950`, `516K`, `1.23M`, where there is little room. */
export function brief(value: number): string {
  return short.format(value);
}

/** US dollars: `$12.30`, and as many places as a small sum needs: `$0.00042`. */
export function dollars(value: number): string {
  if (value === 0) return '$0';
  if (value >= 10_000) return `$${short.format(value)}`;
  const places = value >= 1 ? 2 : Math.min(9, 1 - Math.floor(Math.log10(value)));
  return `$${value.toLocaleString(LOCALE, { minimumFractionDigits: 2, maximumFractionDigits: Math.max(2, places) })}`;
}

/** `0.4 %` of a part in a whole. */
export function percent(part: number, all: number): string {
  if (all === 0 || part === 0) return '0 %';
  const value = (part / all) * 100;
  return value < 0.1 ? '< 0.1 %' : `${value.toFixed(value < 10 ? 1 : 0)} %`;
}

/** `840 ms`, `1.2 s`. */
export function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** `24 Nov 2026`, in UTC as are all times of the console: budgets end with a month of UTC. */
export function onDate(time: number): string {
  return date.format(time);
}

/** `Nov 24`. */
export function onDay(time: number): string {
  return day.format(time);
}

/** `18:00`. */
export function atHour(time: number): string {
  return clock.format(time);
}

/** `5 minutes ago`, `in 2 days`. */
export function relative(time: number, now: number): string {
  const minutes = Math.round((time - now) / A_MINUTE);
  if (minutes === 0) return 'just now';
  if (Math.abs(minutes) < 60) return ago.format(minutes, 'minute');
  const hours = Math.round(minutes / 60);
  return Math.abs(hours) < 48 ? ago.format(hours, 'hour') : ago.format(Math.round(hours / 24), 'day');
}
