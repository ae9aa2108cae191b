import { foldedKey } from './folded-key.ts'
import { behindValue, keyAt, skipBlanks, stringAt, stringEnd } from './json-members.ts'
import { isModelKey, isReferenceKey, isSchemaKey, isUndecidedKey, ZONES } from './request-words.ts'

/**
 * What a request's body names at any depth. Whatever a vendor's option may be called, a member that speaks of a model
 * names one; only what is known to be conversation or a schema is left out, since it may hold any word. All spellings
 * of a member count, so that of two it does not matter which one the vendor reads.
 */
export interface DeepScan {
  /** Each name once; null among them for a choice that is left to something else: a stored prompt, a preset, a router. */
  readonly models: readonly (string | null)[]
  /** It speaks of something that is kept at the vendor: a file, an earlier answer, a conversation, a cache. */
  readonly refersToStored: boolean
}

/** `top`: the request itself · `options`: anything beside · `tools` · `talk`: what is said · `item`: one piece of it. */
type Zone = 'top' | 'options' | 'tools' | 'talk' | 'item'

/** Deeper, or more, than any request: what lies beyond may name anything. */
const MAX_DEPTH = 64
const MAX_MEMBERS = 100_000
const MAX_NAMES = 64
const MAX_NAME_BYTES = 1_024

const QUOTE = 0x22
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d] as const

/** Of a body that `scanBody` has found to be one JSON object. */
export function deepScan(body: Buffer): DeepScan {
  const scan = new Scan(body)
  scan.run()
  return { models: [...scan.names], refersToStored: scan.refers }
}

class Scan {
  readonly names = new Set<string | null>()
  refers = false
  #members = 0
  /** How often a model was named, also the same one again. */
  #named = 0
  readonly #body: Buffer

  constructor(body: Buffer) {
    this.#body = body
  }

  run(): void {
    this.#object(skipBlanks(this.#body, 0), 'top', '', 1)
  }

  /** It cannot be told what is said there. */
  #unknown(): void {
    this.names.add(null)
    this.refers = true
  }

  #value(at: number, zone: Zone, key: string, depth: number): number {
    const byte = this.#body[at]
    if (byte !== OPEN_OBJECT && byte !== OPEN_LIST) return behindValue(this.#body, at)
    if (depth > MAX_DEPTH) {
      this.#unknown()
      return behindValue(this.#body, at)
    }
    if (byte === OPEN_OBJECT) return this.#object(at, zone, key, depth)
    at = skipBlanks(this.#body, at + 1)
    while (this.#body[at] !== CLOSE_LIST) {
      // A list of names is one: nobody writes `[x, y]` below a word for models for anything else.
      if (this.#body[at] === QUOTE && zone !== 'talk' && zone !== 'item' && isModelKey(key)) this.#name(at)
      at = skipBlanks(this.#body, this.#value(at, zone, key, depth + 1))
      if (this.#body[at] !== CLOSE_LIST) at = skipBlanks(this.#body, at + 1)
    }
    return at + 1
  }

  #object(start: number, zone: Zone, parent: string, depth: number): number {
    const body = this.#body
    const before = this.#named
    let type = ''
    let id: string | null = null
    let owns = false
    let isSealed = false
    let at = skipBlanks(body, start + 1)
    while (body[at] !== CLOSE_OBJECT) {
      this.#members += 1
      const keyEnd = stringEnd(body, at)
      const written = keyEnd - at <= MAX_NAME_BYTES ? keyAt(body, at, keyEnd) : ''
      at = skipBlanks(body, skipBlanks(body, keyEnd) + 1)
      if (written === null || this.#members > MAX_MEMBERS) {
        this.#unknown()
        return behindValue(body, start)
      }
      const key = foldedKey(written)
      if (body[at] === QUOTE && key === 'type') type = this.#text(at) ?? ''
      if (body[at] === QUOTE && key === 'id') id = this.#text(at) ?? ''
      isSealed ||= key === 'encrypted_content' && !this.#isEmpty(at)
      owns ||= OWN_CONTENT.has(key) && !this.#isEmpty(at)
      at = skipBlanks(body, this.#member(key, written, at, zone, parent, depth))
      if (body[at] !== CLOSE_OBJECT) at = skipBlanks(body, at + 1)
    }
    if (type === 'reasoning') owns = isSealed
    this.#whole(zone, parent, { type, id, owns, named: this.#named > before })
    return at + 1
  }

  /** What only all members of an object together say. */
  #whole(
    zone: Zone,
    parent: string,
    {
      type,
      id,
      owns,
      named,
    }: {
      readonly type: string
      readonly id: string | null
      /** It brings what it says along. */
      readonly owns: boolean
      /** It names a model, or something in it does. */
      readonly named: boolean
    },
  ): void {
    if (zone === 'tools' && !named && NAMELESS_TOOL.test(type)) this.names.add(null)
    // Options below a word for models that name none may choose one in a way of their own.
    if (zone !== 'talk' && zone !== 'item' && !named && isModelKey(parent)) this.names.add(null)
    if (parent === 'plugins' && !PLAIN_PLUGINS.has(id ?? '')) this.names.add(null)
    if (id === null) return
    if (KEPT.has(parent) || type === 'item_reference') this.refers = true
    if (zone === 'item' && (!owns || LOOKED_UP.has(type))) this.refers = true
  }

  /** Behind the value. */
  #member(key: string, written: string, at: number, zone: Zone, parent: string, depth: number): number {
    const body = this.#body
    const isTalk = zone === 'talk' || zone === 'item'
    if (isSchemaKey(key, isTalk, zone === 'tools')) return behindValue(body, at)
    if (this.#isEmpty(at)) return behindValue(body, at)
    if (parent !== 'metadata' && this.#isReference(key, written, at)) this.refers = true
    if (!isTalk) {
      if (key === 'voice' && OWN_VOICE.test(this.#text(at) ?? '')) this.refers = true
      // The model of the first level is `scanBody`'s to tell: it may go out under another name.
      const isFirst = depth === 1 && key === 'model'
      if (isModelKey(key) && body[at] === QUOTE && !isFirst) this.#name(at)
      if (isUndecidedKey(key) || (key === 'prompt' && body[at] === OPEN_OBJECT)) this.names.add(null)
    }
    return this.#value(at, this.#zoneOf(key, at, zone), key, depth + 1)
  }

  #zoneOf(key: string, at: number, zone: Zone): Zone {
    if (zone === 'item' || zone === 'talk') return 'talk'
    if (zone !== 'top') return zone
    if (ZONES.tools.has(key)) return 'tools'
    const isObject = this.#body[at] === OPEN_OBJECT
    if (ZONES.top.has(key) && isObject) return 'top'
    if (key === 'input') return 'item'
    return ZONES.talk.has(key) && !(key === 'prompt' && isObject) ? 'talk' : 'options'
  }

  #isReference(key: string, written: string, at: number): boolean {
    const byte = this.#body[at]
    if (key === 'prompt') return byte === OPEN_OBJECT
    if (key === 'container' || key === 'conversation') return byte === QUOTE
    if (key === 'uri' || key === 'fileuri' || key === 'file_uri') return !isPublicUrl(this.#text(at))
    return isReferenceKey(key, written)
  }

  /** null, "", [] and {} ask for nothing; neither does what is no text, list or object. */
  #isEmpty(at: number): boolean {
    const byte = this.#body[at]
    if (byte === QUOTE) return this.#body[at + 1] === QUOTE
    if (byte !== OPEN_OBJECT && byte !== OPEN_LIST) return true
    const next = this.#body[skipBlanks(this.#body, at + 1)]
    return next === CLOSE_OBJECT || next === CLOSE_LIST
  }

  #text(at: number): string | null {
    if (this.#body[at] !== QUOTE) return null
    const end = stringEnd(this.#body, at)
    return end - at <= MAX_NAME_BYTES ? stringAt(this.#body, at, end) : null
  }

  #name(at: number): void {
    this.#named += 1
    this.names.add(this.names.size < MAX_NAMES ? this.#text(at) : null)
  }
}

/** Tools that use a model of the vendor's choice unless they name one. */
const NAMELESS_TOOL = /^image_generation|^openrouter:|^advisor/
/** OpenRouter's that change what is sent, not which model reads it. */
const PLAIN_PLUGINS: ReadonlySet<string> = new Set(['web', 'file-parser', 'response-healing'])
/** An `id` directly below one of these is of something that is kept. */
const KEPT: ReadonlySet<string> = new Set([
  ...['audio', 'container', 'conversation', 'prompt', 'file', 'video', 'document', 'agent', 'skills'],
  // One that was made of somebody's speech: OpenAI's `voice: { id }`. The others go by a name.
  'voice',
])
const OWN_VOICE = /^voice_/
/** With one of these an item brings what it says along; without, its `id` is looked up. */
const OWN_CONTENT: ReadonlySet<string> = new Set([
  ...[
    'content',
    'arguments',
    'input',
    'output',
    'encrypted_content',
    'action',
    'code',
    'queries',
    'tools',
    'error',
  ],
])
/** Looked up by their `id`, whatever stands beside it. */
const LOOKED_UP: ReadonlySet<string> = new Set(['item_reference', 'image_generation_call'])

/** An address that anybody may read, and none of the vendor's own storage. */
const isPublicUrl = (uri: string | null): boolean =>
  uri !== null &&
  /^(?:https?:\/\/|data:)/i.test(uri) &&
  !/googleapis\.com|\/v[0-9]+[a-z0-9]*\/files\//i.test(uri)
