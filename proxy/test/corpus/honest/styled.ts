import { CLOUD_APIS } from './apis-cloud.ts'
import { WORK_APIS } from './apis-work.ts'
import { type HonestSeed, honest } from './case.ts'
import { type Context, readContext, stated, writeContext } from './context.ts'
import type { Style } from './style.ts'
import { PAGING_STYLES } from './styles-paging.ts'
import { PYTHON_STYLES, PYTHON_WRITE_STYLES } from './styles-python.ts'
import { READ_STYLES } from './styles-read.ts'
import { TYPED_STYLES } from './styles-typed.ts'
import { WRITE_STYLES } from './styles-write.ts'

const APIS = [...WORK_APIS, ...CLOUD_APIS]
const READS = APIS.flatMap((api) => api.reads.map((read) => ({ api, read })))
const WRITES = APIS.flatMap((api) => api.writes.map((write) => ({ api, write })))

/** Programs of each style; the strides have no factor in common with the tables, so that styles meet all APIs. */
const PER_STYLE = 6
const STRIDE = 17

const seed = (style: Style, context: Context, description: string, verb: string): HonestSeed =>
  honest(
    style.family,
    `acme/${context.api.id}-${verb}`,
    description,
    [style.stated ? stated(context) : context.api.host],
    style.code(context),
    {
      runtime: style.runtime ?? 'deno',
      secrets: [context.api.secret],
      ...(style.args ? { args: style.args } : {}),
      ...(style.deserves ? { deserves: style.deserves } : {}),
    },
  )

const pick = <T>(table: T[], style: number, nth: number): T => {
  const row = table[(style * 7 + nth * STRIDE) % table.length]
  if (row === undefined) throw new Error('empty table')
  return row
}

const nth = Array.from({ length: PER_STYLE }, (_, index) => index)

const reads = [...READ_STYLES, ...PAGING_STYLES, ...TYPED_STYLES, ...PYTHON_STYLES].flatMap((style, index) =>
  nth.map((n) => {
    const { api, read } = pick(READS, index, n)
    const context = readContext(api, read, style.runtime ?? 'deno')
    return seed(style, context, `Reads ${read[2]} from ${api.name}`, 'read')
  }),
)

const writes = [...WRITE_STYLES, ...PYTHON_WRITE_STYLES].flatMap((style, index) =>
  nth.map((n) => {
    const { api, write } = pick(WRITES, index, n)
    const context = writeContext(api, write, style.runtime ?? 'deno')
    const unless = style.deserves?.includes('mode_from_args') ? ', unless args.dry_run is set' : ''
    return seed(style, context, `In ${api.name}: ${write[3]}${unless}`, 'write')
  }),
)

/** Every style of program filled with calls of several APIs. */
export const styledCases = (): HonestSeed[] => [...reads, ...writes]
