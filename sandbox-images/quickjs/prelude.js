// Runs inside QuickJS before the code: makes what the code sees of the world out of the functions of runner.mjs. Text
// crosses as JSON, which holds no NUL and no half of a surrogate pair; bytes cross as ArrayBuffers.
;(host) => {
  const { parse, stringify } = JSON
  const wire = (text) => stringify(String(text))

  // ---- console

  const quoted = (value, seen, depth) =>
    typeof value === 'string' ? stringify(value) : show(value, seen, depth)

  const ownFrames = (stack) =>
    String(stack ?? '')
      .split('\n')
      .filter((line) => !line.includes('(prelude.js:'))
      .join('\n')

  function show(value, seen = [], depth = 0) {
    if (typeof value === 'bigint') return `${value}n`
    if (typeof value === 'function') return `[Function ${value.name || 'anonymous'}]`
    if (typeof value !== 'object' || value === null) return String(value)
    if (value instanceof Error) {
      const cause = value.cause === undefined ? '' : `\ncaused by ${show(value.cause, seen, depth)}`
      return `${value.name}: ${value.message}\n${ownFrames(value.stack)}`.trimEnd() + cause
    }
    if (seen.includes(value)) return '[Circular]'
    if (depth > 4) return Array.isArray(value) ? '[…]' : '{…}'
    const inner = [...seen, value]
    const item = (one) => quoted(one, inner, depth + 1)
    const wrapped = (open, items, close) =>
      items.length === 0 ? open + close : `${open} ${items.join(', ')} ${close}`
    if (Array.isArray(value)) return wrapped('[', value.map(item), ']')
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
    if (value instanceof RegExp) return String(value)
    if (value instanceof Promise) return 'Promise {}'
    if (value instanceof Set) return `Set ${wrapped('{', [...value].map(item), '}')}`
    if (value instanceof Map) {
      return `Map ${wrapped(
        '{',
        [...value].map(([key, one]) => `${item(key)} => ${item(one)}`),
        '}',
      )}`
    }
    if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
      return `${value.constructor.name} ${wrapped('[', [...value.subarray(0, 100)].map(String), ']')}`
    }
    const entries = Object.entries(value).map(
      ([key, one]) => `${/^[\w$]+$/.test(key) ? key : stringify(key)}: ${item(one)}`,
    )
    return wrapped('{', entries, '}')
  }

  const printer =
    (fd) =>
    (...values) =>
      host.write(fd, wire(`${values.map((value) => show(value)).join(' ')}\n`))
  const [out, err] = [printer(1), printer(2)]
  const console = { log: out, info: out, debug: out, warn: err, error: err }

  // ---- timers

  const timers = new Map()
  let lastTimer = 0
  const startTimer =
    (repeat) =>
    (call, delayMs = 0, ...given) => {
      if (typeof call !== 'function') throw new TypeError('a timer needs a function')
      lastTimer += 1
      timers.set(lastTimer, { call, given, repeat })
      host.setTimer(lastTimer, Number(delayMs) || 0, repeat ? 1 : 0)
      return lastTimer
    }
  const clearTimer = (id) => {
    if (timers.delete(id)) host.clearTimer(id)
  }
  const onTimer = (id) => {
    const known = timers.get(id)
    if (known === undefined) return
    if (!known.repeat) clearTimer(id)
    known.call(...known.given)
  }

  // ---- bytes and text

  const bytesOf = (value) =>
    ArrayBuffer.isView(value)
      ? value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength)
      : value
  const decode = (bytes) => parse(host.decode(bytes))

  class TextEncoder {
    encoding = 'utf-8'
    encode(text = '') {
      return new Uint8Array(host.encode(wire(text)))
    }
  }

  class TextDecoder {
    encoding = 'utf-8'
    decode(bytes = new ArrayBuffer(0)) {
      return decode(bytesOf(bytes))
    }
  }

  // ---- fetch

  class Headers {
    #fields = new Map()
    constructor(init = {}) {
      const pairs = typeof init[Symbol.iterator] === 'function' ? init : Object.entries(init)
      for (const [name, value] of pairs) this.append(name, value)
    }
    append(name, value) {
      const key = String(name).toLowerCase()
      const before = this.#fields.get(key)
      this.#fields.set(key, before === undefined ? String(value) : `${before}, ${value}`)
    }
    set(name, value) {
      this.#fields.set(String(name).toLowerCase(), String(value))
    }
    get(name) {
      return this.#fields.get(String(name).toLowerCase()) ?? null
    }
    has(name) {
      return this.#fields.has(String(name).toLowerCase())
    }
    delete(name) {
      this.#fields.delete(String(name).toLowerCase())
    }
    forEach(call) {
      for (const [name, value] of this) call(value, name, this)
    }
    entries() {
      return this[Symbol.iterator]()
    }
    [Symbol.iterator]() {
      return [...this.#fields].sort(([a], [b]) => (a < b ? -1 : 1))[Symbol.iterator]()
    }
  }

  class Response {
    #content
    bodyUsed = false
    constructor({ url, status, statusText, redirected, headers }, content) {
      this.#content = content
      Object.assign(this, { url, status, statusText, redirected })
      this.ok = status >= 200 && status < 300
      this.headers = new Headers(headers)
    }
    async arrayBuffer() {
      if (this.bodyUsed) throw new TypeError('the body was read already')
      this.bodyUsed = true
      return this.#content
    }
    async bytes() {
      return new Uint8Array(await this.arrayBuffer())
    }
    async text() {
      return decode(await this.arrayBuffer())
    }
    async json() {
      return parse(await this.text())
    }
  }

  const answers = new Map()
  let lastRequest = 0
  function fetch(url, { method = 'GET', headers = {}, body, redirect = 'follow' } = {}) {
    return new Promise((resolve, reject) => {
      const fields = [...new Headers(headers)]
      const content =
        body === undefined || body === null
          ? undefined
          : body instanceof ArrayBuffer || ArrayBuffer.isView(body)
            ? bytesOf(body)
            : host.encode(wire(body))
      lastRequest += 1
      answers.set(lastRequest, { resolve, reject })
      const head = stringify({
        url: String(url),
        method: String(method),
        headers: fields,
        redirect: String(redirect),
      })
      host.request(lastRequest, head, content)
    })
  }
  const onAnswer = (id, head, content) => {
    const { resolve, reject } = answers.get(id)
    answers.delete(id)
    if (head.error === undefined) resolve(new Response(head, content))
    else reject(new TypeError(head.error))
  }

  // ---- the process

  const env = {}
  let exitCode
  const process = {
    env,
    exit: (code = exitCode ?? 0) => host.exit(Number(code) || 0),
    get exitCode() {
      return exitCode
    },
    set exitCode(code) {
      exitCode = code
      host.exitCode(Number(code) || 0)
    },
  }
  const onBegin = (given) => {
    Object.assign(env, given)
    Object.assign(globalThis, { args: env.OAUTH3_ARGS === undefined ? null : parse(env.OAUTH3_ARGS) })
  }

  const events = { begin: (_id, head) => onBegin(head), timer: onTimer, answer: onAnswer }
  const visible = {
    console,
    process,
    fetch,
    Headers,
    Response,
    TextEncoder,
    TextDecoder,
    setTimeout: startTimer(false),
    setInterval: startTimer(true),
    clearTimeout: clearTimer,
    clearInterval: clearTimer,
    queueMicrotask: (call) => void Promise.resolve().then(() => call()),
    performance: { now: () => host.now() },
    crypto: { randomUUID: () => host.randomUuid() },
  }
  for (const [name, value] of Object.entries(visible)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true })
  }

  // ---- code from text

  /**
   * Takes eval and the constructors of functions out of reach for good: nothing else of the language leads to them. What
   * takes their place keeps `instanceof` and the methods of functions as they are.
   */
  const refuseCodeFromText = () => {
    const refusal = (name, prototype) => {
      // With `new` too, so not an arrow function.
      function refuse() {
        throw new EvalError(`${name} makes code from text: ask with "dynamic_code": true`)
      }
      Object.defineProperty(refuse, 'name', { value: name })
      if (prototype !== undefined) {
        Object.defineProperty(refuse, 'prototype', { value: prototype, writable: false })
        Object.defineProperty(prototype, 'constructor', {
          value: refuse,
          writable: false,
          configurable: false,
        })
      }
      return refuse
    }
    const kinds = {
      AsyncFunction: async () => {},
      GeneratorFunction: function* () {},
      AsyncGeneratorFunction: async function* () {},
    }
    for (const [name, one] of Object.entries(kinds)) refusal(name, Object.getPrototypeOf(one))
    const taken = { eval: refusal('eval'), Function: refusal('Function', Function.prototype) }
    for (const [name, value] of Object.entries(taken)) {
      Object.defineProperty(globalThis, name, {
        value,
        writable: false,
        enumerable: false,
        configurable: false,
      })
    }
  }

  return {
    refuseCodeFromText,
    deliver: (kind, id, head, content) => events[kind](id, parse(head), content),
    describe: (error) => wire(show(error)),
  }
}
