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

/** Rows by their ids, in the order of the first. */
const joined = (first: readonly RunRow[], more: readonly RunRow[]): RunRow[] => [
  ...new Map([...first, ...more].map((row) => [row.id, row])).values(),
]

/** Prompts that apps had run, newest first. */
export default function Runs({ query }: PageProps) {
  const [rows, setRows] = useState<readonly RunRow[]>()
  const [next, setNext] = useState<string | null>(null)
  const [error, setError] = useState<string>()
  const turn = useRef(0)
  const key = query.toString()
  const read = async (before?: string): Promise<void> => {
    const own = before === undefined ? ++turn.current : turn.current
    try {
      const answer = await api.call('listRuns', {
        query: { ...wantedIn(query), ...(before === undefined ? {} : { before }) } as never,
      })
      if (own !== turn.current) return
      setRows((shown) => (before === undefined ? answer.runs : joined(shown ?? [], answer.runs)))
      setNext(answer.next)
      setError(undefined)
    } catch (failure) {
      if (own === turn.current) setError(failure instanceof Error ? failure.message : String(failure))
    }
  }
  useEffect(() => {
    setRows(undefined)
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
      {rows === undefined ? (
        error === undefined && <p class="empty">Loading …</p>
      ) : (
        <Table
          label="Runs, newest first"
          rows={rows}
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
      {next !== null && (
        <button type="button" onClick={() => void read(next)}>
          Older
        </button>
      )}
    </>
  )
}
