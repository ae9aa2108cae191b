import { useEffect, useRef, useState } from 'preact/hooks'
import type { RunRow } from '../../../src/contracts/admin/index.ts'
import { Choice, Field } from '../admin/form.tsx'
import { Table } from '../admin/table.tsx'
import { count, dollars } from '../admin/texts.ts'
import { Time } from '../admin/time.tsx'
import { api } from '../api/client.ts'
import { go } from '../router.ts'
import { onEvent } from '../state/stream.ts'
import { Link } from '../ui/link.tsx'
import { RunState } from '../ui/run-state.tsx'
import { took } from '../ui/took.ts'
import type { PageProps } from './table.ts'

const FILTERS = ['app', 'state', 'code'] as const
const MOMENT_MS = 300
const PAGE_ROWS = 50
/** What one answer has at most; of what was opened beyond, states may be old. */
const MOST_ROWS = 1_000

const STATES = [
  ['', 'Any'],
  ['open', 'Waiting or running'],
  ['done', 'Done'],
  ['failed', 'Failed'],
  ['cancelled', 'Cancelled'],
] as const

const wantedIn = (query: URLSearchParams): Record<string, string> =>
  Object.fromEntries(
    FILTERS.flatMap((name) => {
      const value = query.get(name)?.trim()
      return value ? [[name, value]] : []
    }),
  )

function Filters({ query }: { readonly query: URLSearchParams }) {
  const search = (wanted: Record<string, string>): void => {
    const text = new URLSearchParams(wanted).toString()
    go(text === '' ? '/runs' : `/runs?${text}`)
  }
  return (
    <search>
      <form
        class="filters"
        key={query.toString()}
        onSubmit={(event) => {
          event.preventDefault()
          const data = new FormData(event.currentTarget)
          search(wantedIn(new URLSearchParams(FILTERS.map((name) => [name, String(data.get(name) ?? '')]))))
        }}
      >
        <Field name="app" label="App" value={query.get('app') ?? ''} />
        <Choice name="state" label="State" options={STATES} value={query.get('state') ?? ''} />
        <Field name="code" label="Code" value={query.get('code') ?? ''} placeholder="budget_exceeded" />
        <button type="submit" class="primary">
          Search
        </button>
        {query.size > 0 && (
          <button type="button" onClick={() => search({})}>
            Clear
          </button>
        )}
      </form>
    </search>
  )
}

const tokens = (run: RunRow): number =>
  run.input_tokens + run.output_tokens + run.cache_read_tokens + run.cache_write_tokens

interface Shown {
  readonly rows: readonly RunRow[]
  /** What older rows are asked for with; null: there are none. */
  readonly next: string | null
}

/** The newest rows as they are now, before those that were opened; where they do not reach down to these, they take their place. */
function withNewest(shown: Shown | undefined, { rows, next }: Shown): Shown {
  const last = rows.at(-1)?.id
  const reached = shown?.rows.findIndex(({ id }) => id === last) ?? -1
  const older = reached === -1 ? [] : (shown?.rows.slice(reached + 1) ?? [])
  return older.length === 0 ? { rows, next } : { rows: [...rows, ...older], next: shown?.next ?? null }
}

/** Pressed twice, or begun anew meanwhile: only what goes on from the end is put there. */
const withOlder = (shown: Shown | undefined, before: string, { rows, next }: Shown): Shown | undefined =>
  shown?.next === before ? { rows: [...shown.rows, ...rows], next } : shown

/** Prompts that apps had run, newest first. */
export default function Runs({ query }: PageProps) {
  const [shown, setShown] = useState<Shown>()
  const [error, setError] = useState<string>()
  /** Of the filter, and of the readings of what is newest: an answer to an earlier one of either is not shown. */
  const turns = useRef({ filter: 0, newest: 0 })
  /** As many are read anew, for their states change. */
  const opened = useRef(0)
  opened.current = shown?.rows.length ?? 0
  const key = query.toString()
  const read = async (before?: string): Promise<void> => {
    if (before === undefined) turns.current.newest += 1
    const { filter, newest } = turns.current
    const isOvertaken = (): boolean =>
      filter !== turns.current.filter || (before === undefined && newest !== turns.current.newest)
    try {
      const limit = Math.min(MOST_ROWS, Math.max(PAGE_ROWS, opened.current))
      const page = before === undefined ? { limit: String(limit) } : { before }
      const answer = await api.call('listRuns', {
        query: { ...wantedIn(query), ...page } as never,
      })
      if (isOvertaken()) return
      const { runs: rows, next } = answer
      setShown((now) =>
        before === undefined ? withNewest(now, { rows, next }) : withOlder(now, before, { rows, next }),
      )
      setError(undefined)
    } catch (failure) {
      if (!isOvertaken()) setError(failure instanceof Error ? failure.message : String(failure))
    }
  }
  useEffect(() => {
    turns.current.filter += 1
    setShown(undefined)
    void read()
  }, [key])
  useEffect(() => {
    let waits: ReturnType<typeof setTimeout> | undefined
    const off = onEvent(({ type }) => {
      if (type !== 'reset' && !type.startsWith('run.')) return
      waits ??= setTimeout(() => {
        waits = undefined
        void read()
      }, MOMENT_MS)
    })
    return () => {
      off()
      clearTimeout(waits)
    }
  }, [key])
  return (
    <>
      <h1>Runs</h1>
      <p class="lead">
        Prompts of <Link to="/apps">apps</Link> that Claude Code ran or runs.
      </p>
      <Filters query={query} />
      {error !== undefined && (
        <p class="note bad" role="alert">
          {error}
        </p>
      )}
      {shown === undefined ? (
        error === undefined && <p class="empty">Loading …</p>
      ) : (
        <Table
          label="Runs, newest first"
          rows={shown.rows}
          keyOf={({ id }) => id}
          empty={query.size > 0 ? 'Nothing fits.' : 'None yet.'}
          columns={[
            {
              title: 'Run',
              isName: true,
              cell: ({ id }) => <Link to={`/runs/${id}`}>{id.slice(0, 16)}…</Link>,
            },
            { title: 'State', cell: (run) => <RunState run={run} /> },
            { title: 'App', cell: ({ app }) => <bdi>{app}</bdi> },
            { title: 'Model', cell: ({ model }) => <bdi>{model}</bdi> },
            { title: 'Tokens', isNumber: true, cell: (run) => count(tokens(run)) },
            {
              title: 'Money',
              isNumber: true,
              cell: ({ micro_usd }) => (micro_usd === null ? '–' : dollars(micro_usd)),
            },
            { title: 'Took', isNumber: true, cell: took },
            { title: 'Asked', cell: ({ created_at }) => <Time at={created_at} /> },
          ]}
        />
      )}
      {shown !== undefined && shown.next !== null && (
        <button type="button" onClick={() => void read(shown.next ?? undefined)}>
          Older
        </button>
      )}
    </>
  )
}
