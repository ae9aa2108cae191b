import type { RunRow } from '../../../src/contracts/admin/index.ts'

const TONES: Readonly<Record<RunRow['state'], string>> = {
  queued: 'caution',
  running: 'caution',
  done: 'good',
  failed: 'bad',
  cancelled: '',
}

/** How a run stands, and where that says more, by which code it ended. */
export function RunState({ run }: { readonly run: Pick<RunRow, 'state' | 'code' | 'position'> }) {
  const { state, code, position } = run
  const says =
    position !== null && position > 0
      ? `queued, ${position} before it`
      : code === null || code === 'ok' || code === state
        ? state
        : code
  return <span class={`badge ${TONES[state]}`}>{says}</span>
}
