import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { writeArchive } from '../../src/hosting/persistence/archive/index.ts'
import { sha256Hex } from '../../src/kernel/index.ts'
import { createEngineClient } from '../../src/sandbox/engine/index.ts'
import { adminCall, createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { hostedFilesOf } from '../support/hosted-files-kit.ts'
import { PLAYED_MACHINE } from '../support/hosted-kit.ts'
import { MACHINE_IMAGE } from '../support/machine-kit.ts'
import { createMessagesApi, say } from '../support/messages-api-double.ts'
import { patience } from '../support/pace.ts'
import { runCliHere } from '../support/run-cli.ts'
import { sendBytes } from '../support/send-bytes.ts'
import { tellHost } from '../support/tell-host.ts'

const docker = await dockerOrSkip()
const MIB = 1_048_576
const SECRET = 'the-deploy-secret-of-the-owner-not-real'

/** A daemon, an agent of its owner's with a shell that is not to be trusted, and one of an account's. */
describe.skipIf(!docker.available)('files of a hosted agent', () => {
  const model = createMessagesApi(() => say('said by the model'))
  let kit: DaemonKit
  let container: Docker.Container
  let machineId = ''
  let folder: string
  const calls = hostedFilesOf(() => kit)
  const { admin, shell, plant, own, at, get, put, list, names, rows, stateOf } = calls

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'oauth3-files-'))
    kit = await createDaemonKit({
      agent: 'other',
      environment: { OAUTH3_SANDBOX: 'docker', OAUTH3_POOL_SIZE: '0', OAUTH3_SIGNUP: 'password' },
      hosting: {
        image: MACHINE_IMAGE,
        command: ['/bin/deno', 'eval', PLAYED_MACHINE],
        memoryBytes: 256 * MIB,
      },
    })
    const value = await model.listen()
    await kit.admin('PUT', '/v1/providers/anthropic/params/url', { value, private: true })
    await kit.admin('POST', '/v1/provider-keys', { provider: 'anthropic', value: 'sk-ant-test-key-not-real' })
    await kit.admin('PUT', '/v1/secrets/DEPLOY', { value: SECRET })
    const made = await admin('POST', '', { name: 'claw', provider: 'anthropic', model: 'claude-sonnet-5-5' })
    machineId = made.body.id
    await tellHost(admin, '/claw', 'hello')
    const engine = createEngineClient()
    const [found] = await engine.listContainers({ filters: { label: [`oauth3.machine=${machineId}`] } })
    container = engine.getContainer(found?.Id ?? '')
  }, patience(60_000))
  afterAll(async () => {
    await admin('POST', '/claw/order', { order: 'remove' })
    await vi.waitFor(async () => expect((await admin('GET', '')).body.hosts).toEqual([]), {
      timeout: patience(30_000),
    })
    await kit[Symbol.asyncDispose]()
    await model[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  }, patience(60_000))

  it('go in and come out whole, each with its row, and are the agent’s own', async () => {
    expect(await list()).toEqual({ folder: '', entries: [], truncated: false })
    const content = Buffer.from([0, 255, 10, ...Buffer.from('a report'), 0])
    const told = await put('uploads/2026/r\u00e9port.bin', content)
    expect(JSON.parse(told.bytes.toString())).toEqual({
      ...{ path: 'uploads/2026/r\u00e9port.bin', bytes: content.length, sha256: sha256Hex(content) },
    })
    const seen = `const s = Deno.statSync('/state/home/workspace/uploads/2026/r\u00e9port.bin'); Deno.writeTextFileSync('/state/home/workspace/uploads/2026/mine', 'mine'); return [s.uid, s.mode & 0o777, s.size].join()`
    expect(await shell(seen)).toBe(`65532,${0o644},${content.length}`)
    expect(await names('uploads')).toEqual(['2026'])
    expect(await list('uploads/2026')).toMatchObject({
      entries: [
        { name: 'mine', kind: 'file', bytes: 4 },
        {
          name: 'r\u00e9port.bin',
          path: 'uploads/2026/r\u00e9port.bin',
          kind: 'file',
          bytes: content.length,
        },
      ],
    })
    const back = await get('uploads/2026/r\u00e9port.bin')
    expect(back.bytes).toEqual(content)
    expect(back.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': String(content.length),
      'content-disposition': `attachment; filename="r?port.bin"; filename*=UTF-8''r%C3%A9port.bin`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "sandbox; default-src 'none'",
    })
    const row = { path: 'uploads/2026/r\u00e9port.bin', bytes: content.length, sha256: sha256Hex(content) }
    expect(await rows('machine.file_put')).toEqual([expect.objectContaining(row)])
    expect(await rows('machine.file_taken')).toEqual([expect.objectContaining(row)])
  })

  it('are replaced where that is said, and lead a path of a secret into no row', async () => {
    expect(await put('notes', 'first')).toMatchObject({ status: 200 })
    expect(await put('notes', 'second')).toMatchObject({ status: 409, code: 'conflict' })
    expect((await get('notes')).bytes.toString()).toBe('first')
    const both = await Promise.all([put('race', 'one'), put('race', 'two')])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
    expect(await put('notes', 'second', '&replace=1')).toMatchObject({ status: 200 })
    expect((await get('notes')).bytes.toString()).toBe('second')
    expect(await put(`${SECRET}/x`, 'x')).toMatchObject({ status: 200 })
    expect((await rows('machine.file_put')).at(0)).toMatchObject({ path: '[secret:DEPLOY]/x' })
    expect(JSON.stringify((await kit.admin('GET', '/v1/audit?limit=1000')).body)).not.toContain(SECRET)
  })

  it('are those of the workspace: no path and no link leads out of it, to the control folder or the host', async () => {
    await plant(`
      Deno.writeTextFileSync('/state/home/outside', 'outside')
      for (const [name, to] of [['host', '/'], ['up', '..'], ['run', '/run/oauth3'], ['etc', '/etc/hosts'], ['home', '/state/home'], ['itself', 'itself'], ['away', '/state/home/outside'], ['long', '\\u0001'.repeat(4000)]]) Deno.symlinkSync(to, name)
      Deno.linkSync('/state/home/outside', 'hard')
      Deno.mkdirSync('dir'); Deno.symlinkSync('/state/home', 'dir/in')
      globalThis.kept = Deno.listen({ transport: 'unix', path: 'socket' })`)
    const fifo = async function* () {
      const content = (async function* () {})()
      yield { kind: 'fifo', name: 'fifo', target: '', mode: 0o666, modifiedAt: 0, bytes: 0, content } as const
    }
    await container.putArchive(Readable.from(writeArchive(fifo())), { path: '/state/home/workspace' })
    for (const path of 'host up run etc home itself away long fifo socket dir dir/in'.split(' '))
      expect({ path, ...(await get(path)) }).toMatchObject({ path, status: 409, code: 'refused' })
    for (const path of [
      'host/etc/hosts',
      'up/outside',
      'run/ca.pem',
      'run/machine.sock',
      'home/outside',
      'dir/in/outside',
      'notes/x',
    ])
      for (const { status, code } of [await get(path), await put(path, 'x', '&replace=1')])
        expect({ path, status, code }).toEqual({ path, status: 409, code: 'refused' })
    for (const link of ['host', 'run', 'up', 'away', 'fifo', 'dir'])
      expect(await put(link, 'x', '&replace=1'), link).toMatchObject({ status: 409, code: 'refused' })
    for (const folder of ['host', 'up', 'run', 'dir/in', 'notes'])
      expect(await own('GET', `/files?folder=${folder}`), folder).toMatchObject({
        status: 409,
        code: 'refused',
      })
    for (const path of [
      '..',
      '../outside',
      'dir/../../outside',
      '/state/home/outside',
      './notes',
      'dir//x',
      'dir/',
      '\0',
      'a\nb',
      'x'.repeat(256),
      'x/'.repeat(600),
    ])
      for (const { status, code } of [await get(path), await put(path, 'x')])
        expect({ path, status, code }).toEqual({ path, status: 400, code: 'invalid_request' })
    expect(await own('GET', '/files?folder=..')).toMatchObject({ status: 400 })
    expect(await shell(`return Deno.readTextFileSync('/state/home/outside')`)).toBe('outside')
    // What a hard link shares is its own as well: a copy would be no less.
    expect((await get('hard')).bytes.toString()).toBe('outside')
    const kinds = Object.fromEntries(
      (await list()).entries.map((one: { name: string; kind: string }) => [one.name, one.kind]),
    )
    expect(kinds).toMatchObject({ host: 'link', run: 'link', hard: 'file', dir: 'folder', fifo: 'other' })
    expect(kinds).not.toHaveProperty('socket')
    await plant(
      `for (const one of [...Deno.readDirSync('.')]) Deno.removeSync(one.name, { recursive: true })`,
    )
  })

  it('are the machine’s own, whatever it puts in the place of a folder while it is gone through', async () => {
    writeFileSync(join(folder, 'here'), 'of the host')
    const control = join(kit.folder, 'data', 'gateway', machineId)
    const before = readdirSync(control).sort()
    await plant(`
      Deno.mkdirSync('flip'); Deno.writeTextFileSync('flip/here', 'of the machine')
      globalThis.flips = true
      void (async () => {
        const places = ['${folder}', '${control}', '/run/oauth3', '/', '..']
        for (let at = 0; globalThis.flips; at = (at + 1) % places.length) {
          Deno.renameSync('flip', 'held'); Deno.symlinkSync(places[at], 'flip')
          await new Promise((go) => setTimeout(go, 1))
          Deno.removeSync('flip'); Deno.renameSync('held', 'flip')
          await new Promise((go) => setTimeout(go, 1))
        }
      })()`)
    const came = new Set<string>()
    for (let time = 0; time < 25; time += 1) {
      const { status, bytes } = await get('flip/here')
      came.add(status === 200 ? bytes.toString() : String(status))
      came.add(String((await put('flip/written', 'written', '&replace=1')).status))
      const { status: listed, bytes: names } = await own('GET', '/files?folder=flip')
      came.add(String(listed))
      expect(names.toString()).not.toMatch(/ca\.pem|\.sock|of the host/)
    }
    await plant('globalThis.flips = false')
    for (const one of came) expect(['of the machine', '200', '404', '409']).toContain(one)
    expect(readdirSync(folder)).toEqual(['here'])
    expect(readdirSync(control).sort()).toEqual(before)
  })

  it('are listed within bounds, whatever is there, and by names that no screen obeys', async () => {
    await plant(
      `Deno.mkdirSync('many'); for (let at = 0; at < 1001; at++) Deno.writeTextFileSync('many/' + at, '')`,
    )
    const many = await list('many')
    expect([many.entries.length, many.truncated]).toEqual([1_000, true])
    await plant(
      `Deno.mkdirSync('huge'); Deno.writeTextFileSync('huge/a', 'a'); Deno.createSync('huge/b').truncateSync(1e12); Deno.writeTextFileSync('huge/c', 'c')`,
    )
    expect(await list('huge')).toMatchObject({
      truncated: true,
      entries: [{ name: 'a' }, { name: 'b', bytes: 1e12 }],
    })
    expect(await get('huge/b')).toMatchObject({ status: 413, code: 'too_large' })
    await plant(
      `Deno.mkdirSync('odd'); for (const name of ['new\\nline', 'qu"ote', 'bidi\\u202egpj.exe', 'esc\\u001b[2J', "d'ash"]) Deno.writeTextFileSync('odd/' + name, name)`,
    )
    const bytes = async function* () {
      const content = (async function* () {})()
      yield {
        kind: 'file',
        name: 'no\u00ff\u00feutf8',
        target: '',
        mode: 0o666,
        modifiedAt: 0,
        bytes: 0,
        content,
      } as const
    }
    await container.putArchive(Readable.from(writeArchive(bytes())), { path: '/state/home/workspace/odd' })
    const odd = (await list('odd')).entries.map(({ name, path }: { name: string; path: string | null }) => [
      name,
      path,
    ])
    expect(odd).toHaveLength(6)
    expect(Object.fromEntries(odd)).toEqual({
      'new⟨U+000A⟩line': null,
      'qu"ote': 'odd/qu"ote',
      'bidi⟨U+202E⟩gpj.exe': 'odd/bidi\u202egpj.exe',
      'esc⟨U+001B⟩[2J': null,
      "d'ash": "odd/d'ash",
      'no\ufffd\ufffdutf8': null,
    })
    const { headers, bytes: content } = await get('odd/bidi\u202egpj.exe')
    expect(content.toString()).toBe('bidi\u202egpj.exe')
    expect(headers['content-disposition']).toBe('attachment; filename=bidi_gpj.exe')
    expect((await get('odd/qu"ote')).headers['content-disposition']).toBe('attachment; filename="qu\\"ote"')
  })

  it('of more than 25 MiB are refused before a byte is kept, and half of one leaves nothing', async () => {
    const most = Buffer.alloc(25 * MIB, 'x')
    expect(await put('most', most)).toMatchObject({ status: 200 })
    expect((await get('most')).bytes.equals(most)).toBe(true)
    const before = await rows('machine.file_put')
    const head = (length: string): string =>
      `PUT /v1/hosts/claw${at('half')} HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\n${length}\r\n\r\n`
    const answered = (text: string, end = false): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect(kit.daemon.adminSocketPath, () => {
          socket.write(text)
          if (end) socket.end()
        })
        socket
          .once('data', (part) => resolve(String(part).slice(0, 12)))
          .once('close', () => resolve('closed'))
        socket.on('error', () => {})
      })
    expect(await answered(head(`content-length: ${25 * MIB + 1}`))).toBe('HTTP/1.1 413')
    expect(await answered(head('transfer-encoding: chunked'))).toBe('HTTP/1.1 400')
    expect(await answered(`${head('content-length: 1000')}half of it`, true)).not.toBe('HTTP/1.1 200')
    expect(
      await own('PUT', at('half'), Buffer.from('{}'), { 'content-type': 'application/json' }),
    ).toMatchObject({ status: 415 })
    expect(await own('PUT', at('half'), Buffer.from('x'), { 'content-encoding': 'gzip' })).toMatchObject({
      status: 415,
    })
    expect(await names()).not.toContain('half')
    expect(await rows('machine.file_put')).toEqual(before)
  })

  it('are put and taken from a terminal, and no file of this machine is overwritten unasked', async () => {
    const cli = (...args: string[]) =>
      runCliHere(['--socket', kit.daemon.adminSocketPath, 'host', ...args], { stdin: 'from a pipe' })
    const [local, back] = [join(folder, 'local.txt'), join(folder, 'back.txt')]
    writeFileSync(local, 'from here')
    expect(await cli('put', 'claw', local)).toMatchObject({
      code: 0,
      stdout: 'local.txt is in the workspace of claw, 9 B.\n',
    })
    expect(await cli('put', 'claw', local)).toMatchObject({ code: 5 })
    expect(await cli('processes', 'claw')).toMatchObject({ code: 0 })
    expect(await cli('put', 'claw', '-', 'piped/it', '--force')).toMatchObject({ code: 0 })
    expect(await cli('put', 'claw', '-')).toMatchObject({ code: 2 })
    expect(await cli('put', 'claw', join(folder, 'none'))).toMatchObject({ code: 2 })
    expect((await cli('files', 'claw', 'piped')).stdout).toMatch(/^NAME .*\nit +file +11 B /)
    expect(await cli('get', 'claw', 'piped/it', '-')).toMatchObject({ code: 0, stdout: 'from a pipe' })
    expect(await cli('get', 'claw', 'local.txt', back)).toMatchObject({ code: 0 })
    expect(await cli('get', 'claw', 'piped/it', back)).toMatchObject({ code: 5, stdout: '' })
    expect(readFileSync(back, 'utf8')).toBe('from here')
    expect(await cli('get', 'claw', 'piped/it', back, '--force')).toMatchObject({ code: 0 })
    expect(readFileSync(back, 'utf8')).toBe('from a pipe')
    expect(await cli('get', 'claw', 'none', join(folder, 'none'))).toMatchObject({ code: 4 })
    expect(await cli('get', 'claw', '../outside', join(folder, 'none'))).toMatchObject({ code: 2 })
  })

  it('are an account’s own by its API, and nobody else’s', async () => {
    const port = Number(new URL(kit.daemon.url).port)
    const signUp = async (name: string) => {
      const response = await fetch(`${kit.daemon.url}/api/auth/signup`, {
        ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
        body: JSON.stringify({ email: `${name}@example.com`, password: 'a battery, a staple' }),
      })
      const { access_token: token, user } = (await response.json()) as {
        access_token: string
        user: { tenant: string }
      }
      const call = (
        method: string,
        path: string,
        content?: Uint8Array,
        headers: Record<string, string> = {},
      ) => sendBytes({ port }, method, path, content, { authorization: `Bearer ${token}`, ...headers })
      const tenant = (method: string, path: string, body?: unknown) =>
        adminCall(kit.daemon.adminSocketPath, method, `/v1${path}`, body, { 'x-oauth3-tenant': user.tenant })
      return { call, tenant }
    }
    const [ann, bob] = [await signUp('ann'), await signUp('bob')]
    await ann.tenant('POST', '/provider-keys', { provider: 'anthropic', value: 'sk-ant-test-ann-not-real' })
    const made = await ann.call('POST', '/api/instances', Buffer.from('{"name":"desk"}'), {
      'content-type': 'application/json',
    })
    const { id } = JSON.parse(made.bytes.toString())
    const path = `/api/instances/${id}/file?path=mine`
    const claw = (await admin('GET', '')).body.hosts[0].id
    try {
      expect(await ann.call('PUT', path, Buffer.from('of Ann'))).toMatchObject({ status: 200 })
      expect((await ann.call('GET', path)).bytes.toString()).toBe('of Ann')
      const { bytes } = await ann.call('GET', `/api/instances/${id}/files`)
      expect(JSON.parse(bytes.toString()).entries).toMatchObject([{ name: 'mine', bytes: 6 }])
      for (const call of [bob.call, ann.call])
        for (const instance of call === bob.call
          ? [id, 'mch_0000000000000000']
          : [claw, 'mch_0000000000000000'])
          for (const told of [
            await call('GET', `/api/instances/${instance}/files`),
            await call('GET', `/api/instances/${instance}/file?path=mine`),
            await call('PUT', `/api/instances/${instance}/file?path=theirs&replace=1`, Buffer.from('x')),
          ])
            expect(told).toMatchObject({ status: 404, code: 'not_found' })
      for (const token of ['', kit.token])
        expect(
          await sendBytes({ port }, 'GET', path, undefined, { authorization: `Bearer ${token}` }),
        ).toMatchObject({ status: 401 })
      // By a cookie, or from another page, no form and no script puts a file.
      const foreign = { origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' }
      expect(await ann.call('PUT', path, Buffer.from('x'), foreign)).toMatchObject({ status: 403 })
      expect(await ann.call('POST', '/api/instances', Buffer.from('{}'))).toMatchObject({ status: 415 })
    } finally {
      await ann.call('DELETE', `/api/instances/${id}`)
      await expect
        .poll(async () => (await ann.tenant('GET', '/hosts')).body.hosts, { timeout: patience(30_000) })
        .toEqual([])
    }
  })

  it('wake it, and are refused in a lockdown, and of one that is being removed', async () => {
    await admin('POST', '/claw/order', { order: 'stop' })
    await expect.poll(stateOf, { timeout: patience(30_000) }).toBe('asleep')
    // On a machine that has much to do it is still being woken when the first answer is due.
    await expect
      .poll(async () => (await get('local.txt')).bytes.toString(), { timeout: patience(60_000) })
      .toBe('from here')
    expect(await stateOf()).toBe('running')
    await kit.admin('POST', '/v1/panic', {})
    for (const told of [await get('local.txt'), await put('late', 'x'), await own('GET', '/files')])
      expect(told).toMatchObject({ status: 503, code: 'locked' })
    await kit.admin('POST', '/v1/panic/end', { confirm: 'unlock' })
    expect(await names()).not.toContain('late')
    await admin('POST', '/claw/order', { order: 'remove' })
    for (const told of [await get('local.txt'), await put('late', 'x'), await own('GET', '/files')])
      expect(['refused', 'not_found']).toContain(told.code)
  })
})
