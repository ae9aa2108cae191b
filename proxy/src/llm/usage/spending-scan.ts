import { wordSet } from '../../kernel/index.ts'
import type { ByteRange } from './body-scan.ts'
import { numberAt } from './json-bytes.ts'
import type { ValueKind, ValueReader } from './json-walk.ts'
import { textAt, type Word } from './json-word.ts'
import {
  AGENT_TOOL,
  AGENT_TOOL_MEMBERS,
  CONTENT_MEMBERS,
  GENERATION_MEMBERS,
  IMAGE_TYPES,
  MODALITY_MEMBERS,
  NATIVE_MEMBERS,
  OPAQUE_MEMBERS,
  PLAIN_MEMBERS,
  STORED_MEMBERS,
  TEXT_TYPES,
  THINKING_BUDGET,
  THINKING_MEMBERS,
  TIER_MEMBERS,
} from './known-members.ts'

/** What of a body decides how much its request may use; asked only under a limit on tokens or money. */
export interface SpendingScan {
  /** The first member whose use nobody can tell: one that is not known, or a tool that runs at the vendor. */
  readonly unmetered: string | null
  /** The first member that asks for another price than the usual one. */
  readonly dearer: string | null
  /** The first member that leads to input which is not in the body, or whose tokens its bytes do not tell. */
  readonly elsewhere: string | null
  /** Images, each of which counts as the largest there is. */
  readonly images: number
  /** Bytes of images, which are no text. */
  readonly uncounted: readonly ByteRange[]
  /** How many prompts `prompt` holds, each answered by itself. */
  readonly prompts: number
  /** How many documents a list of them holds, each read together with the query. */
  readonly documents: number
  /** Vendors add a text of their own to a request with tools. */
  readonly hasTools: boolean
  /** The largest budget of tokens that it declares for reasoning; 0: none. */
  readonly thinkingTokens: number
}

type Place =
  | 'root'
  | 'content'
  | 'within'
  | 'image'
  | 'prompts'
  | 'documents'
  | 'document'
  | 'tools'
  | 'tool'
  | 'toolConfig'
  | 'cache'
  | 'generation'
  | 'thinking'
  | 'native'
  | 'tier'
  | 'modalities'
  | 'contextManagement'
  | 'opaque'

/** Of all others nothing is looked at. */
type Walked = Exclude<Place, 'opaque'>

/** The beginnings of PNG, JPEG, GIF, WebP and BMP in base64, alone or in a data URL. */
const IMAGE = /^(?:data:image\/(?:png|jpe?g|gif|webp|bmp);base64,)?(?:iVBORw0KGgo|\/9j\/|R0lGOD|UklGR|Qk)/
const BEGINNING_BYTES = 64
const LONGEST_NAME = 200
/** Of a longer key nothing is known, and nothing told. */
const LONGEST_KEY = 128
/** Members that hold, or lead to, something that is read though it is no text of the body's. */
const FILE_MEMBERS: ReadonlySet<string> = wordSet(`
  file_id fileId file_ids file_url file_uri fileUri file_data fileData input_audio audio audio_url video
  video_url s3Location document file uri vector_store_ids`)
/** Mistral reads these page by page, and charges for each page. */
const PAGED = 'document_url'
const MEDIA_MEMBERS: ReadonlySet<string> = new Set([
  ...['data', 'bytes', 'url', 'image', 'image_url', 'images'],
])
const MIME_MEMBERS: ReadonlySet<string> = new Set(['mimeType', 'mime_type', 'media_type', 'mediaType'])

const each = <T>(names: Iterable<string>, as: T): [string, T][] => [...names].map((name) => [name, as])

/** What a member at the top is, looked up once; of no other one is anything known. Of two lines for one name the later one counts. */
const AT_TOP = new Map<
  string,
  | (
      | 'opaque'
      | 'tier'
      | 'modalities'
      | 'generation'
      | 'thinking'
      | 'thinkingBudget'
      | 'toolConfig'
      | 'native'
      | 'cache'
    )
  | ('contextManagement' | 'stored' | 'content' | 'documents' | 'prompt' | 'tools')
>([
  ...each(PLAIN_MEMBERS, 'opaque' as const),
  ...each(
    [...TIER_MEMBERS.keys()].filter((name) => PLAIN_MEMBERS.has(name)),
    'tier' as const,
  ),
  ...each(
    [...MODALITY_MEMBERS].filter((name) => PLAIN_MEMBERS.has(name)),
    'modalities' as const,
  ),
  ...each(['generationConfig', 'generation_config'], 'generation' as const),
  ...each(['toolConfig', 'tool_config'], 'toolConfig' as const),
  ['additionalModelRequestFields', 'native'],
  ...each(THINKING_MEMBERS, 'thinking' as const),
  ['thinking_budget', 'thinkingBudget'],
  ['cache_control', 'cache'],
  ['context_management', 'contextManagement'],
  ...each(STORED_MEMBERS, 'stored' as const),
  ...each(CONTENT_MEMBERS, 'content' as const),
  ['documents', 'documents'],
  ['prompt', 'prompt'],
  ['tools', 'tools'],
])

/** The same of members of what the model reads. */
const IN_CONTENT = new Map<string, 'opaque' | 'tools' | 'cache' | 'file' | 'type' | 'mime' | 'media'>([
  ...each(MEDIA_MEMBERS, 'media' as const),
  ...each(MIME_MEMBERS, 'mime' as const),
  ['type', 'type'],
  ...each(FILE_MEMBERS, 'file' as const),
  ...each(['cache_control', 'cachePoint'], 'cache' as const),
  ['tools', 'tools'],
  ...each(OPAQUE_MEMBERS, 'opaque' as const),
])

/** Reads it in a walk through the body. */
export class SpendingScanner implements ValueReader<Walked> {
  readonly root = 'root'
  readonly #body: Buffer
  #unmetered: string | null = null
  #dearer: string | null = null
  #elsewhere: string | null = null
  #images = 0
  #prompts = 0
  #documents = 0
  #hasTools = false
  #thinkingTokens = 0
  readonly #uncounted: ByteRange[] = []

  constructor(body: Buffer) {
    this.#body = body
  }

  enter(place: Walked, word: Word | null, kind: ValueKind, start: number, end: number): Walked | null {
    const key = word === null ? null : word.text.length > LONGEST_KEY ? '' : word.text
    const inner = this.#placeOf(place, key, kind, start, end)
    return inner === 'opaque' ? null : inner
  }

  result(): SpendingScan {
    return {
      unmetered: this.#unmetered,
      dearer: this.#dearer,
      elsewhere: this.#elsewhere,
      images: this.#images,
      uncounted: this.#uncounted,
      prompts: Math.max(1, this.#prompts),
      documents: this.#documents,
      hasTools: this.#hasTools,
      thinkingTokens: this.#thinkingTokens,
    }
  }

  #text(start: number, end: number): string | null {
    return end - start > LONGEST_NAME ? null : textAt(this.#body, start, end)
  }

  #beginning(start: number, end: number): string {
    return this.#body.toString('latin1', start + 1, Math.min(end - 1, start + 1 + BEGINNING_BYTES))
  }

  #isImage(start: number, end: number): boolean {
    return IMAGE.test(this.#beginning(start, end))
  }

  #isNull(start: number): boolean {
    return this.#body[start] === 0x6e
  }

  #atTop(key: string, kind: ValueKind, start: number, end: number): Place {
    const member = AT_TOP.get(key)
    switch (member) {
      case undefined:
        this.#unmetered ??= key
        return 'opaque'
      case 'tools':
        return this.#toolList(kind, start)
      case 'prompt':
        // It may bring tools of the vendor's, and whatever else its owner has stored.
        if (kind === 'object') this.#unmetered ??= key
        return kind === 'list' ? 'prompts' : this.#inContent(key, kind, start, end)
      case 'documents':
        return kind === 'list' ? 'documents' : this.#inContent(key, kind, start, end)
      case 'content':
        return this.#inContent(key, kind, start, end)
      case 'stored':
        if (!this.#isNull(start)) this.#elsewhere ??= key
        return 'opaque'
      case 'modalities':
        return this.#modalities(kind, start)
      case 'tier':
        return this.#tier(key, kind, start, end)
      case 'thinkingBudget':
        return this.#thinking(key, start, end)
      default:
        return member
    }
  }

  #tier(key: string, kind: ValueKind, start: number, end: number): Place {
    const usual = TIER_MEMBERS.get(key)
    if (usual === undefined || this.#isNull(start)) return 'opaque'
    if (kind === 'object') return 'tier'
    if (kind !== 'string' || !usual.has(this.#text(start, end) ?? '')) this.#dearer ??= key
    return 'opaque'
  }

  #thinking(key: string, start: number, end: number): Place {
    const budget = this.#isNull(start) ? 0 : numberAt(this.#body, start, end)
    // Some servers take a string of digits for a number.
    if (budget === undefined) this.#unmetered ??= key
    else this.#thinkingTokens = Math.max(this.#thinkingTokens, budget)
    return 'opaque'
  }

  #toolList(kind: ValueKind, start: number): Place {
    if (kind !== 'list' && !this.#isNull(start)) this.#unmetered ??= 'tools'
    return 'tools'
  }

  #modalities(kind: ValueKind, start: number): Place {
    if (kind !== 'list' && !this.#isNull(start)) this.#dearer ??= 'modalities'
    return 'modalities'
  }

  #inContent(key: string | null, kind: ValueKind, start: number, end: number, isPart = false): Place {
    if (key === null) return 'content'
    const member = IN_CONTENT.get(key)
    if (member === 'opaque') return 'opaque'
    // Some items hand tools in later.
    if (member === 'tools') return this.#toolList(kind, start)
    if (member === 'cache') return 'cache'
    if (this.#isNull(start)) return 'opaque'
    if (member === 'file') {
      this.#elsewhere ??= key
      return 'opaque'
    }
    if (member !== undefined && kind === 'string') this.#said(member, key, isPart, start, end)
    if (key === 'image_url' || key === 'images') return 'image'
    return kind === 'object' ? 'within' : 'content'
  }

  /** A string of a member that says what something is, or is an image. */
  #said(member: 'type' | 'mime' | 'media', key: string, isPart: boolean, start: number, end: number): void {
    if (member === 'type') {
      const type = this.#text(start, end) ?? ''
      if (type === PAGED) this.#unmetered ??= `type ${type}`
      if (!TEXT_TYPES.has(type) && !IMAGE_TYPES.has(type)) this.#elsewhere ??= `type ${type}`
    } else if (member === 'mime') {
      if (!this.#text(start, end)?.startsWith('image/')) this.#elsewhere ??= key
    } else if (isPart && key === 'data' && !this.#isImage(start, end)) {
      // Sealed reasoning, whose text is counted, or else an image; files and sound say so in their type.
      this.#images += 1
    } else this.#media(key, key === 'image_url' || key === 'image', start, end)
  }

  /** A string that is an image, or leads to one; of anything else its bytes do not tell how much it is. */
  #media(key: string, mayLead: boolean, start: number, end: number): void {
    if (this.#isImage(start, end)) {
      this.#images += 1
      this.#uncounted.push({ start, end })
    } else if (mayLead && /^https?:\/\//i.test(this.#beginning(start, end))) this.#images += 1
    else this.#elsewhere ??= key
  }

  /** Cohere's have members of any name, all of which are read as text. */
  #inDocument(key: string | null, kind: ValueKind): Place {
    const leadsOn = key !== null && (MEDIA_MEMBERS.has(key) || FILE_MEMBERS.has(key))
    if (leadsOn && kind === 'string') this.#elsewhere ??= key
    return 'document'
  }

  #inTool(key: string, kind: ValueKind, start: number, end: number): Place {
    if (key === 'cache_control' || key === 'cachePoint') return 'cache'
    if (!AGENT_TOOL_MEMBERS.has(key)) this.#unmetered ??= `tools ${key}`
    if (key === 'type' && (kind !== 'string' || !AGENT_TOOL.test(this.#text(start, end) ?? ''))) {
      this.#unmetered ??= `tools type ${this.#text(start, end) ?? ''}`
    }
    return 'opaque'
  }

  #placeOf(place: Walked, key: string | null, kind: ValueKind, start: number, end: number): Place {
    switch (place) {
      case 'root':
        return this.#atTop(key ?? '', kind, start, end)
      case 'content':
      case 'within':
        return key === 'input' ? 'opaque' : this.#inContent(key, kind, start, end, place === 'content')
      case 'prompts':
        // A list of numbers is one prompt in tokens.
        if (kind === 'scalar') this.#prompts = Math.max(this.#prompts, 1)
        else this.#prompts += 1
        return kind === 'list' ? 'opaque' : this.#inContent(key, kind, start, end)
      case 'documents':
        this.#documents += 1
        return this.#inDocument(key, kind)
      case 'document':
        return this.#inDocument(key, kind)
      case 'image':
        if (kind === 'string' && (key === null || MEDIA_MEMBERS.has(key)))
          this.#media(key ?? 'images', true, start, end)
        else if (key !== null && FILE_MEMBERS.has(key)) this.#elsewhere ??= key
        return 'image'
      case 'tools':
        this.#hasTools = true
        return kind === 'object' ? 'tool' : 'opaque'
      case 'tool':
        return this.#inTool(key ?? '', kind, start, end)
      case 'toolConfig':
        return key === 'tools' ? this.#toolList(kind, start) : 'opaque'
      case 'cache':
        if (key === 'ttl') this.#tier(key, kind, start, end)
        return 'opaque'
      case 'tier':
        // Bedrock's `serviceTier: { type }`.
        if (
          kind !== 'string' ||
          TIER_MEMBERS.get('serviceTier')?.has(this.#text(start, end) ?? '') !== true
        ) {
          this.#dearer ??= 'serviceTier'
        }
        return 'opaque'
      case 'generation':
        if (key !== null && MODALITY_MEMBERS.has(key)) return this.#modalities(kind, start)
        if (key !== null && !GENERATION_MEMBERS.has(key)) this.#unmetered ??= `generationConfig ${key}`
        return 'opaque'
      case 'native':
        if (key !== null && !NATIVE_MEMBERS.has(key))
          this.#unmetered ??= `additionalModelRequestFields ${key}`
        return key !== null && THINKING_MEMBERS.has(key) ? 'thinking' : 'opaque'
      case 'thinking':
        return key !== null && THINKING_BUDGET.test(key) ? this.#thinking(key, start, end) : 'opaque'
      case 'modalities':
        if (kind !== 'string' || this.#text(start, end)?.toLowerCase() !== 'text')
          this.#dearer ??= 'modalities'
        return 'opaque'
      case 'contextManagement':
        // Anthropic's compaction lets the model write once more, beyond `max_tokens`.
        if (key === 'type' && !/^clear_/.test((kind === 'string' ? this.#text(start, end) : null) ?? '')) {
          this.#unmetered ??= 'context_management'
        }
        return 'contextManagement'
    }
  }
}
