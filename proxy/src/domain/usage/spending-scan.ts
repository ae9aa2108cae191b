import type { ByteRange } from './body-scan.ts'
import { type ValueKind, type ValueReader, walkObject } from './json-walk.ts'
import { textAt as wordTextAt } from './json-word.ts'
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
const FILE_MEMBERS: ReadonlySet<string> = new Set([
  ...[
    'file_id',
    'fileId',
    'file_ids',
    'file_url',
    'file_uri',
    'fileUri',
    'file_data',
    'fileData',
    'input_audio',
  ],
  ...[
    'audio',
    'audio_url',
    'video',
    'video_url',
    's3Location',
    'document',
    'file',
    'uri',
    'vector_store_ids',
  ],
])
/** Mistral reads these page by page, and charges for each page. */
const PAGED = 'document_url'
const MEDIA_MEMBERS: ReadonlySet<string> = new Set([
  ...['data', 'bytes', 'url', 'image', 'image_url', 'images'],
])
const MIME_MEMBERS: ReadonlySet<string> = new Set(['mimeType', 'mime_type', 'media_type', 'mediaType'])

export function scanSpending(body: Buffer): SpendingScan {
  const scanner = createSpendingScanner(body)
  walkObject(body, [scanner])
  return scanner.result()
}

/** Reads it in a walk through the body. */
export function createSpendingScanner(body: Buffer): ValueReader<Walked> & { result(): SpendingScan } {
  let unmetered: string | null = null
  let dearer: string | null = null
  let elsewhere: string | null = null
  let images = 0
  let prompts = 0
  let documents = 0
  let hasTools = false
  const uncounted: ByteRange[] = []

  const textAt = (start: number, end: number): string | null =>
    end - start > LONGEST_NAME ? null : wordTextAt(body, start, end)
  const beginning = (start: number, end: number): string =>
    body.toString('latin1', start + 1, Math.min(end - 1, start + 1 + BEGINNING_BYTES))
  const isImage = (start: number, end: number): boolean => IMAGE.test(beginning(start, end))
  const isNull = (start: number): boolean => body[start] === 0x6e

  function atTop(key: string, kind: ValueKind, start: number, end: number): Place {
    if (key === 'tools') return toolList(kind, start)
    if (key === 'prompt' && kind === 'object') elsewhere ??= key
    if (key === 'prompt' && kind === 'list') return 'prompts'
    if (key === 'documents' && kind === 'list') return 'documents'
    if (CONTENT_MEMBERS.has(key)) return inContent(key, kind, start, end)
    if (STORED_MEMBERS.has(key)) {
      if (!isNull(start)) elsewhere ??= key
      return 'opaque'
    }
    if (!PLAIN_MEMBERS.has(key)) {
      unmetered ??= key
      return 'opaque'
    }
    if (MODALITY_MEMBERS.has(key)) return modalities(kind, start)
    if (key === 'generationConfig' || key === 'generation_config') return 'generation'
    if (key === 'toolConfig' || key === 'tool_config') return 'toolConfig'
    if (key === 'additionalModelRequestFields') return 'native'
    if (key === 'cache_control') return 'cache'
    if (key === 'context_management') return 'contextManagement'
    return tier(key, kind, start, end)
  }

  function tier(key: string, kind: ValueKind, start: number, end: number): Place {
    const usual = TIER_MEMBERS.get(key)
    if (usual === undefined || isNull(start)) return 'opaque'
    if (kind === 'object') return 'tier'
    if (kind !== 'string' || !usual.has(textAt(start, end) ?? '')) dearer ??= key
    return 'opaque'
  }

  function toolList(kind: ValueKind, start: number): Place {
    if (kind !== 'list' && !isNull(start)) unmetered ??= 'tools'
    return 'tools'
  }

  function modalities(kind: ValueKind, start: number): Place {
    if (kind !== 'list' && !isNull(start)) dearer ??= 'modalities'
    return 'modalities'
  }

  function inContent(key: string | null, kind: ValueKind, start: number, end: number, isPart = false): Place {
    if (key === null) return 'content'
    if (OPAQUE_MEMBERS.has(key)) return 'opaque'
    // Some items hand tools in later.
    if (key === 'tools') return toolList(kind, start)
    if (key === 'cache_control' || key === 'cachePoint') return 'cache'
    if (isNull(start)) return 'opaque'
    if (FILE_MEMBERS.has(key)) {
      elsewhere ??= key
      return 'opaque'
    }
    if (key === 'type' && kind === 'string') {
      const type = textAt(start, end) ?? ''
      if (type === PAGED) unmetered ??= `type ${type}`
      if (!TEXT_TYPES.has(type) && !IMAGE_TYPES.has(type)) elsewhere ??= `type ${type}`
    } else if (MIME_MEMBERS.has(key) && kind === 'string') {
      if (!textAt(start, end)?.startsWith('image/')) elsewhere ??= key
    } else if (isPart && key === 'data' && kind === 'string' && !isImage(start, end)) {
      // Sealed reasoning, whose text is counted, or else an image; files and sound say so in their type.
      images += 1
    } else if (MEDIA_MEMBERS.has(key) && kind === 'string')
      media(key, key === 'image_url' || key === 'image', start, end)
    if (key === 'image_url' || key === 'images') return 'image'
    return kind === 'object' ? 'within' : 'content'
  }

  /** A string that is an image, or leads to one; of anything else its bytes do not tell how much it is. */
  function media(key: string, mayLead: boolean, start: number, end: number): void {
    if (isImage(start, end)) {
      images += 1
      uncounted.push({ start, end })
    } else if (mayLead && /^https?:\/\//i.test(beginning(start, end))) images += 1
    else elsewhere ??= key
  }

  /** Cohere's have members of any name, all of which are read as text. */
  function inDocument(key: string | null, kind: ValueKind): Place {
    const leadsOn = key !== null && (MEDIA_MEMBERS.has(key) || FILE_MEMBERS.has(key))
    if (leadsOn && kind === 'string') elsewhere ??= key
    return 'document'
  }

  function inTool(key: string, kind: ValueKind, start: number, end: number): Place {
    if (key === 'cache_control' || key === 'cachePoint') return 'cache'
    if (!AGENT_TOOL_MEMBERS.has(key)) unmetered ??= `tools ${key}`
    if (key === 'type' && (kind !== 'string' || !AGENT_TOOL.test(textAt(start, end) ?? ''))) {
      unmetered ??= `tools type ${textAt(start, end) ?? ''}`
    }
    return 'opaque'
  }

  function placeOf(place: Walked, key: string | null, kind: ValueKind, start: number, end: number): Place {
    switch (place) {
      case 'root':
        return atTop(key ?? '', kind, start, end)
      case 'content':
      case 'within':
        return key === 'input' ? 'opaque' : inContent(key, kind, start, end, place === 'content')
      case 'prompts':
        // A list of numbers is one prompt in tokens.
        if (kind === 'scalar') prompts = Math.max(prompts, 1)
        else prompts += 1
        return kind === 'list' ? 'opaque' : inContent(key, kind, start, end)
      case 'documents':
        documents += 1
        return inDocument(key, kind)
      case 'document':
        return inDocument(key, kind)
      case 'image':
        if (kind === 'string' && (key === null || MEDIA_MEMBERS.has(key)))
          media(key ?? 'images', true, start, end)
        else if (key !== null && FILE_MEMBERS.has(key)) elsewhere ??= key
        return 'image'
      case 'tools':
        hasTools = true
        return kind === 'object' ? 'tool' : 'opaque'
      case 'tool':
        return inTool(key ?? '', kind, start, end)
      case 'toolConfig':
        return key === 'tools' ? toolList(kind, start) : 'opaque'
      case 'cache':
        if (key === 'ttl') tier(key, kind, start, end)
        return 'opaque'
      case 'tier':
        // Bedrock's `serviceTier: { type }`.
        if (kind !== 'string' || TIER_MEMBERS.get('serviceTier')?.has(textAt(start, end) ?? '') !== true) {
          dearer ??= 'serviceTier'
        }
        return 'opaque'
      case 'generation':
        if (key !== null && MODALITY_MEMBERS.has(key)) return modalities(kind, start)
        if (key !== null && !GENERATION_MEMBERS.has(key)) unmetered ??= `generationConfig ${key}`
        return 'opaque'
      case 'native':
        if (key !== null && !NATIVE_MEMBERS.has(key)) unmetered ??= `additionalModelRequestFields ${key}`
        return 'opaque'
      case 'modalities':
        if (kind !== 'string' || textAt(start, end)?.toLowerCase() !== 'text') dearer ??= 'modalities'
        return 'opaque'
      case 'contextManagement':
        // Anthropic's compaction lets the model write once more, beyond `max_tokens`.
        if (key === 'type' && !/^clear_/.test((kind === 'string' ? textAt(start, end) : null) ?? '')) {
          unmetered ??= 'context_management'
        }
        return 'contextManagement'
    }
  }

  return {
    root: 'root',
    enter(place, word, kind, start, end) {
      const key = word === null ? null : word.text.length > LONGEST_KEY ? '' : word.text
      const inner = placeOf(place, key, kind, start, end)
      return inner === 'opaque' ? null : inner
    },
    result: () => ({
      ...{ unmetered, dearer, elsewhere, images, uncounted, documents, hasTools },
      prompts: Math.max(1, prompts),
    }),
  }
}
