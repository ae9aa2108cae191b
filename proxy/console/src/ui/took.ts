/** How long something ran; of one that has not ended or never began, a dash. */
export function took({
  started_at,
  finished_at,
}: {
  readonly started_at: number | null
  readonly finished_at: number | null
}): string {
  if (started_at === null || finished_at === null) return '–'
  const ms = finished_at - started_at
  return ms < 10_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`
}
