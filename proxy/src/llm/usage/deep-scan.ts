import { remembering, wordSet } from '../../kernel/index.ts'
import { foldedKey } from './folded-key.ts'
import { skipBlanks } from './json-bytes.ts'
import { type ValueKind, type ValueReader, walkObject } from './json-walk.ts'
import { textAt, type Word } from './json-word.ts'
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

const [QUOTE, CLOSE_OBJECT, CLOSE_LIST] = [0x22, 0x7d, 0x5d] as const

const NOTHING: DeepScan = { models: [], refersToStored: false }
const ONLY_STORED: DeepScan = { models: [], refersToStored: true }

/** Of a body that `scanBody` has found to be one JSON object. */
export function deepScan(body: Buffer): DeepScan {
  const scanner = new DeepScanner(body)
  walkObject(body, [scanner])
  return scanner.result()
}

/** An object or list that is looked through. */
class Place {
  readonly zone: Zone
  /** The member that it is the value of, or stands in a list of. */
  readonly parent: string
  readonly depth: number
  readonly isObject: boolean
  /** How often a model had been named before it. */
  readonly namedBefore: number
  type = ''
  id: string | null = null
  /** It brings what it says along. */
  owns = false
  isSealed = false
  /** Nobody can tell what the rest of it says. */
  isUnknown = false
  /** The lists in it, of a list: nothing is remembered of any, so that one place does for all. */
  lists: Place | null = null

  constructor(zone: Zone, parent: string, depth: number, isObject: boolean, namedBefore: number) {
    this.zone = zone
    this.parent = parent
    this.depth = depth
    this.isObject = isObject
    this.namedBefore = namedBefore
  }
}

/** Reads what `DeepScan` tells in a walk through the body. */
export class DeepScanner implements ValueReader<Place> {
  readonly root = new Place('top', '', 1, true, 0)
  /** Made with the first one. */
  #names: Set<string | null> | null = null
  #refers = false
  #members = 0
  /** How often a model was named, also the same one again. */
  #named = 0
  readonly #body: Buffer

  constructor(body: Buffer) {
    this.#body = body
  }

  enter(place: Place, key: Word | null, kind: ValueKind, start: number, end: number): Place | null {
    const { zone } = place
    if (key === null) {
      // A list of names is one: nobody writes `[x, y]` below a word for models for anything else.
      if (kind === 'string' && zone !== 'talk' && zone !== 'item' && isModelKey(place.parent)) {
        this.#name(start, end)
      }
      if (kind !== 'list') return this.#within(place, zone, place.parent, kind)
      place.lists ??= this.#within(place, zone, place.parent, kind)
      return place.lists
    }
    if (place.isUnknown) return null
    this.#members += 1
    if (key.isBroken || this.#members > MAX_MEMBERS) {
      place.isUnknown = true
      return this.#unknown()
    }
    return this.#member(place, key, kind, start, end)
  }

  leave(place: Place): void {
    if (place.isObject && !place.isUnknown) this.#whole(place)
  }

  result(): DeepScan {
    if (this.#names !== null) return { models: [...this.#names], refersToStored: this.#refers }
    return this.#refers ? ONLY_STORED : NOTHING
  }

  /** It cannot be told what is said there. */
  #unknown(): null {
    this.#add(null)
    this.#refers = true
    return null
  }

  #within(place: Place, zone: Zone, parent: string, kind: ValueKind): Place | null {
    if (kind === 'string' || kind === 'scalar') return null
    if (place.depth === MAX_DEPTH) return this.#unknown()
    return new Place(zone, parent, place.depth + 1, kind === 'object', this.#named)
  }

  #member(place: Place, word: Word, kind: ValueKind, start: number, end: number): Place | null {
    const { zone } = place
    const key = word.folded
    const meaning = meaningOf(word.text)
    const isString = kind === 'string'
    const isEmpty = this.#isEmpty(kind, start)
    if (key === 'type' && isString) place.type = this.#text(start, end) ?? ''
    if (key === 'id' && isString) place.id = this.#text(start, end) ?? ''
    if (isEmpty) return null
    if (key === 'encrypted_content') place.isSealed = true
    if (meaning.isOwnContent) place.owns = true
    const isTalk = zone === 'talk' || zone === 'item'
    if (meaning.isSchema || (isTalk && meaning.isCalledWith) || (zone === 'tools' && meaning.isOfTool))
      return null
    if (place.parent !== 'metadata' && this.#isReference(key, meaning, kind, start, end)) this.#refers = true
    if (!isTalk) {
      if (key === 'voice' && isString && OWN_VOICE.test(this.#text(start, end) ?? '')) this.#refers = true
      // The model of the first level is `scanBody`'s to tell: it may go out under another name.
      const isFirst = place.depth === 1 && key === 'model'
      if (isString && !isFirst && meaning.isModel) this.#name(start, end)
      if (meaning.isUndecided || (key === 'prompt' && kind === 'object')) this.#add(null)
    }
    return this.#within(place, zoneBelow(zone, meaning, kind), key, kind)
  }

  /** What only all members of an object together say. */
  #whole({ zone, parent, type, id, owns, isSealed, namedBefore }: Place): void {
    const isNamed = this.#named > namedBefore
    if (zone === 'tools' && !isNamed && NAMELESS_TOOL.test(type)) this.#add(null)
    // Options below a word for models that name none may choose one in a way of their own.
    if (zone !== 'talk' && zone !== 'item' && !isNamed && isModelKey(parent)) this.#add(null)
    if (parent === 'plugins' && !PLAIN_PLUGINS.has(id ?? '')) this.#add(null)
    if (id === null) return
    if (KEPT.has(parent) || type === 'item_reference') this.#refers = true
    const brings = type === 'reasoning' ? isSealed : owns
    if (zone === 'item' && (!brings || LOOKED_UP.has(type))) this.#refers = true
  }

  #isReference(key: string, meaning: Meaning, kind: ValueKind, start: number, end: number): boolean {
    if (key === 'prompt') return kind === 'object'
    if (key === 'container' || key === 'conversation') return kind === 'string'
    if (key === 'uri' || key === 'fileuri' || key === 'file_uri') {
      return kind !== 'string' || !isPublicUrl(this.#text(start, end))
    }
    return meaning.isReference
  }

  /** null, "", [] and {} ask for nothing; neither does what is no text, list or object. */
  #isEmpty(kind: ValueKind, at: number): boolean {
    const body = this.#body
    if (kind === 'string') return body[at + 1] === QUOTE
    if (kind === 'scalar') return true
    const next = body[skipBlanks(body, at + 1)]
    return next === CLOSE_OBJECT || next === CLOSE_LIST
  }

  #text(start: number, end: number): string | null {
    return end - start <= MAX_NAME_BYTES ? textAt(this.#body, start, end) : null
  }

  #name(start: number, end: number): void {
    this.#named += 1
    this.#add((this.#names?.size ?? 0) < MAX_NAMES ? this.#text(start, end) : null)
  }

  #add(name: string | null): void {
    this.#names ??= new Set()
    this.#names.add(name)
  }
}

/** Where what stands in a member belongs. */
function zoneBelow(zone: Zone, { zone: below }: Meaning, kind: ValueKind): Zone {
  if (zone === 'item' || zone === 'talk') return 'talk'
  if (zone !== 'top') return zone
  const isObject = kind === 'object'
  if (below === 'top') return isObject ? 'top' : 'options'
  if (below === 'input') return isObject ? 'top' : 'item'
  if (below === 'prompt') return isObject ? 'options' : 'talk'
  return below
}

interface Meaning {
  readonly isSchema: boolean
  readonly isCalledWith: boolean
  readonly isOfTool: boolean
  readonly isReference: boolean
  readonly isModel: boolean
  readonly isUndecided: boolean
  readonly isOwnContent: boolean
  /** Of what stands in it; `top`, `input` and `prompt` go by whether that is an object. */
  readonly zone: 'tools' | 'top' | 'input' | 'prompt' | 'talk' | 'options'
}

/** All that a key alone says, worked out once: requests are written with the same few words. */
const meaningOf = remembering((written): Meaning => {
  const key = foldedKey(written)
  return {
    isSchema: isSchemaKey(key, false, false),
    isCalledWith: isSchemaKey(key, true, false),
    isOfTool: isSchemaKey(key, false, true),
    isReference: isReferenceKey(key, written),
    isModel: isModelKey(key),
    isUndecided: isUndecidedKey(key),
    isOwnContent: OWN_CONTENT.has(key),
    zone: zoneOf(key),
  }
})

function zoneOf(key: string): Meaning['zone'] {
  if (ZONES.tools.has(key)) return 'tools'
  if (key === 'input' || key === 'prompt') return key
  if (ZONES.top.has(key)) return 'top'
  return ZONES.talk.has(key) ? 'talk' : 'options'
}

/** Tools that use a model of the vendor's choice unless they name one. */
const NAMELESS_TOOL = /^image_generation|^openrouter:|^advisor/
/** OpenRouter's that change what is sent, not which model reads it. */
const PLAIN_PLUGINS: ReadonlySet<string> = new Set(['web', 'file-parser', 'response-healing'])
/** An `id` directly below one of these is of something that is kept. */
const KEPT: ReadonlySet<string> = wordSet(
  'audio container conversation prompt file video document agent skills',
  // One that was made of somebody's speech: OpenAI's `voice: { id }`. The others go by a name.
  'voice',
)
const OWN_VOICE = /^voice_/
/** With one of these an item brings what it says along; without, its `id` is looked up. */
const OWN_CONTENT: ReadonlySet<string> = wordSet(`
  content arguments input output encrypted_content action code queries tools error`)
/** Looked up by their `id`, whatever stands beside it. */
const LOOKED_UP: ReadonlySet<string> = new Set(['item_reference', 'image_generation_call'])

/** An address that anybody may read, and none of the vendor's own storage. */
const isPublicUrl = (uri: string | null): boolean =>
  uri !== null &&
  /^(?:https?:\/\/|data:)/i.test(uri) &&
  !/googleapis\.com|\/v[0-9]+[a-z0-9]*\/files\//i.test(uri)
