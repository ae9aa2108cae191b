import { wordSet } from '../../../kernel/index.ts'
import type { DangerKind } from '../../facts/index.ts'

/** Names of the global object itself. */
export const GLOBAL_OBJECTS: ReadonlySet<string> = wordSet('globalThis window self global frames')

/** Globals of the runtimes that the reader knows; another name that nothing declares is simply unknown. */
export const GLOBALS: ReadonlySet<string> = new Set(
  `AbortController AbortSignal Array ArrayBuffer AsyncFunction AsyncIterator Atomics BigInt Blob Boolean Buffer Bun CompressionStream
  DataView Date Deno Error EvalError EventSource EventTarget File FinalizationRegistry FormData Function Headers Infinity
  Intl Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Request Response Set
  ShadowRealm SharedWorker String Symbol SyntaxError Temporal TextDecoder TextEncoder TypeError URIError URL URLSearchParams
  Uint8Array Uint16Array Uint32Array Int8Array Int16Array Int32Array Float32Array Float64Array WeakMap WeakRef WeakSet
  WebAssembly WebSocket WebSocketStream WebTransport Worker XMLHttpRequest RTCPeerConnection atob btoa clearInterval
  clearTimeout console crypto decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape eval fetch
  globalThis importScripts isFinite isNaN localStorage location module exports navigator parseFloat parseInt performance
  process queueMicrotask require reportError setImmediate setInterval setTimeout structuredClone undefined`.split(
    /\s+/,
  ),
)

/** What a mention of a name of the platform is, with the word for it. `Function` has honest mentions and is seen apart. */
export const NAME_DANGERS: ReadonlyMap<string, DangerKind> = new Map<string, DangerKind>([
  ['eval', 'code_from_text'],
  ['Function', 'code_from_text'],
  ['AsyncFunction', 'code_from_text'],
  ['ShadowRealm', 'code_from_text'],
  ['process.binding', 'code_from_text'],
  ['process._linkedBinding', 'code_from_text'],
  ['process.getBuiltinModule', 'code_from_text'],
  ['process.mainModule', 'code_from_text'],
  ['process.constructor', 'code_from_text'],
  ['module.constructor', 'code_from_text'],
  ['module._compile', 'code_from_text'],
  ['module.require', 'code_from_text'],
  ['require.main.require', 'code_from_text'],
  ['module.parent.require', 'code_from_text'],
  ['module.children', 'code_from_text'],
  ['Deno.core', 'code_from_text'],
  ['Deno.internal', 'code_from_text'],
  ['navigator.serviceWorker', 'worker_code'],
  ['require.cache', 'code_from_text'],
  ['require.extensions', 'code_from_text'],
  ['node:v8.setFlagsFromString', 'code_from_text'],
  ['std.evalScript', 'code_from_text'],
  ['std.loadScript', 'code_from_text'],
  ['std.popen', 'starts_programs'],
  ['std.loadFile', 'code_from_text'],
  ['std.urlGet', 'opaque_sender'],
  ['os.exec', 'starts_programs'],
  ['node:os.exec', 'starts_programs'],
  ['node:os.Worker', 'worker_code'],
  ['Bun.plugin', 'code_from_text'],
  ['WebAssembly', 'webassembly'],
  ['Worker', 'worker_code'],
  ['SharedWorker', 'worker_code'],
  ['importScripts', 'text_import'],
  ['URL.createObjectURL', 'text_import'],
  ['Deno.Command', 'starts_programs'],
  ['Deno.run', 'starts_programs'],
  ['Bun.spawn', 'starts_programs'],
  ['Bun.spawnSync', 'starts_programs'],
  ['Bun.$', 'starts_programs'],
  ['Deno.dlopen', 'native_code'],
  ['Deno.UnsafePointer', 'native_code'],
  ['Deno.UnsafeFnPointer', 'native_code'],
  ['process.dlopen', 'native_code'],
  ['Bun.dlopen', 'native_code'],
  ['Deno.connect', 'opaque_sender'],
  ['Deno.connectTls', 'opaque_sender'],
  ['Deno.connectQuic', 'opaque_sender'],
  ['Deno.startTls', 'opaque_sender'],
  ['Deno.listenDatagram', 'opaque_sender'],
  ['Deno.resolveDns', 'opaque_sender'],
  ['Bun.connect', 'opaque_sender'],
  ['Bun.udpSocket', 'opaque_sender'],
  ['WebTransport', 'opaque_sender'],
  ['RTCPeerConnection', 'opaque_sender'],
])

/** Objects whose members must not be picked by a computed key. */
export const NO_COMPUTED_KEY: ReadonlySet<string> = wordSet('Deno process Bun module Reflect require')

/** A module-level function or class of this name stands in the place of the platform's. */
export const NOT_TO_SHADOW: ReadonlySet<string> = new Set(
  'fetch XMLHttpRequest WebSocket EventSource URL URLSearchParams Request Headers Response JSON encodeURIComponent Deno process globalThis Date Math Object Array String Boolean Number Promise Reflect atob btoa'.split(
    ' ',
  ),
)

/** Values that differ from run to run in a way that no card shows, by the name of what is read or called. */
export const HIDDEN_NAMES: ReadonlyMap<string, string> = new Map([
  ['Date', 'Date'],
  ['Date.now', 'Date'],
  ['Temporal.Now', 'Date'],
  ['performance.now', 'performance'],
  ['performance.timeOrigin', 'performance'],
  ['process.hrtime', 'performance'],
  ['process.hrtime.bigint', 'performance'],
  ['process.uptime', 'performance'],
  ['Math.random', 'Math.random'],
  ['crypto.getRandomValues', 'crypto'],
  ['crypto.randomUUID', 'crypto'],
  ['node:crypto.randomUUID', 'crypto'],
  ['node:crypto.randomInt', 'crypto'],
  ['node:crypto.randomBytes', 'crypto'],
  ['Deno.hostname', 'hostname'],
  ['Deno.osRelease', 'hostname'],
  ['Deno.build', 'hostname'],
  ['Deno.build.os', 'hostname'],
  ['Deno.pid', 'hostname'],
  ['Deno.args', 'hostname'],
  ['Deno.mainModule', 'hostname'],
  ['Deno.version', 'hostname'],
  ['Deno.version.deno', 'hostname'],
  ['Deno.loadavg', 'hostname'],
  ['Deno.systemMemoryInfo', 'hostname'],
  ['process.platform', 'hostname'],
  ['process.arch', 'hostname'],
  ['process.pid', 'hostname'],
  ['process.version', 'hostname'],
  ['process.versions', 'hostname'],
  ['process.argv', 'hostname'],
  ['process.cwd', 'hostname'],
  ['process.memoryUsage', 'hostname'],
  ['node:os.hostname', 'hostname'],
  ['node:os.platform', 'hostname'],
  ['node:os.userInfo', 'hostname'],
  ['node:os.uptime', 'hostname'],
  ['node:os.cpus', 'hostname'],
  ['node:os.networkInterfaces', 'hostname'],
  ['navigator.userAgent', 'hostname'],
  ['navigator.language', 'hostname'],
  ['navigator.hardwareConcurrency', 'hostname'],
  ['location.hostname', 'hostname'],
  ['location.host', 'hostname'],
  ['location.href', 'hostname'],
])

/** What makes code of text when it is called. */
export const DYNAMIC_CODE: ReadonlySet<string> = wordSet(`
  Function AsyncFunction GeneratorFunction eval ShadowRealm`)
