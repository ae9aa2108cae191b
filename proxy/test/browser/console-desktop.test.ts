/** The desktop of a hosted agent: a real XFCE on a real Xvnc in a real machine, seen by a viewer of VNC and by the console's page. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { sha256Hex } from '../../src/kernel/index.ts'
import {
  DESKTOP,
  describeInBrowser,
  expectAccessibleInBothThemes,
  expectNoSidewaysScroll,
} from '../support/browser.ts'
import { type Browser, createBrowser, portOf } from '../support/console-kit.ts'
import { cookiesInside } from '../support/cookies-inside.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { PLAYED_MACHINE } from '../support/hosted-kit.ts'
import { MACHINE_IMAGE } from '../support/machine-kit.ts'
import { patience } from '../support/pace.ts'
import { openViewer, partOf, type RfbViewer } from '../support/rfb-viewer.ts'
import { ANN } from '../support/telegram-kit.ts'

const docker = await dockerOrSkip({ images: ['deno', 'desktop'] })
const run = promisify(execFile)
const NARROW = { width: 360, height: 740 }
const SECONDARY = 4
const ESCAPE = 0xff1b
/** Keys and pointer (RFC 6143, 7.5.4 and 7.5.5), and keys by their place (QEMU’s). A viewer tells its clipboard’s forms unasked. */
const ACTING: ReadonlySet<number> = new Set([4, 5, 255])
/** Where nothing is but the desktop itself. */
const HERE = { x: 700, y: 400, w: 60, h: 60 }
const THERE = { x: 200, y: 300, w: 60, h: 60 }
const AWAY = { x: 1_100, y: 700 }

describe.skipIf(!docker.available)('the desktop of a hosted agent', () => {
  describeInBrowser(
    'in the console',
    (kit) => {
      let http: Browser
      let machineId = ''
      const admin = (method: string, path: string, body?: unknown) =>
        kit.daemon.admin(method, `/v1/hosts${path}`, body)
      const desktopNow = async () =>
        (await admin('GET', '')).body.hosts.find(({ kind }: { kind: string }) => kind === 'desktop')
      const untilState = (state: string) =>
        vi.waitFor(async () => expect((await desktopNow())?.state).toBe(state), {
          timeout: patience(60_000),
          interval: 200,
        })
      const containerNow = async () =>
        (await run('docker', ['ps', '-q', '--filter', `label=oauth3.machine=${machineId}`])).stdout.trim()
      const pathBy = async (purpose: 'vnc' | 'vnc_view', by = http): Promise<string> => {
        const { status, body } = await by.send('/console/api/hosts/claw/tickets', {
          ...{ method: 'POST', body: { purpose } },
        })
        expect({ status, body }).toMatchObject({ status: 200 })
        return body.path
      }
      const origin = (): string => `http://localhost:${portOf(kit.daemon)}`
      const openAt = (path: string) =>
        openViewer(`ws://127.0.0.1:${portOf(kit.daemon)}${path}`, {
          host: new URL(origin()).host,
          origin: origin(),
        })
      const view = async (purpose: 'vnc' | 'vnc_view'): Promise<RfbViewer> => {
        const viewer = await openAt(await pathBy(purpose))
        if ('code' in viewer) throw new Error(`closed: ${viewer.code} ${viewer.reason}`)
        return viewer
      }
      const click = ({ pointer }: RfbViewer, { x, y }: { x: number; y: number }): void => {
        pointer(x, y, 0)
        pointer(x, y, SECONDARY)
        pointer(x, y, 0)
      }
      const partNow = async (viewer: RfbViewer, part: typeof HERE) =>
        sha256Hex(partOf(viewer, await viewer.picture(), part))
      /** A plain desktop: the window manager and the panel may still be coming. */
      const untilDrawn = async (viewer: RfbViewer): Promise<void> => {
        await expect
          .poll(
            async () => {
              const picture = await viewer.picture()
              const [panel, ground] = [{ x: 400, y: 4, w: 8, h: 8 }, HERE].map((part) =>
                partOf(viewer, picture, part).subarray(0, 3).toString('hex'),
              )
              const isPlain = new Set(partOf(viewer, picture, HERE)).size <= 4
              return isPlain && ground !== '000000' && panel !== ground
            },
            { timeout: patience(60_000), interval: 200 },
          )
          .toBe(true)
      }

      beforeAll(async () => {
        await kit.daemon.admin('POST', '/v1/provider-keys', {
          ...{ provider: 'anthropic', value: 'sk-ant-test-key-of-the-owner-not-real' },
        })
        const agent = { name: 'claw', provider: 'anthropic', model: 'claude-sonnet-5-5' }
        expect(await admin('POST', '', agent)).toMatchObject({ status: 200 })
        const made = await admin('POST', '/claw/desktop', { on: true })
        expect(made).toMatchObject({ status: 200, body: { kind: 'desktop', name: 'claw-desktop' } })
        machineId = made.body.id
        http = createBrowser(kit.daemon)
        await http.signIn()
        await untilState('running')
      }, patience(120_000))
      afterAll(async () => {
        await admin('POST', '/claw/order', { order: 'remove' })
        // Its desktop goes with it.
        await vi.waitFor(async () => expect((await admin('GET', '')).body.hosts).toEqual([]), {
          timeout: patience(60_000),
        })
      }, patience(90_000))

      it(
        'is seen by several at once, and used by who took over alone',
        async () => {
          using looks = await view('vnc_view')
          using acts = await view('vnc')
          expect([looks.width, looks.height]).toEqual([1_280, 800])
          // Its picture is the server's, drawn into all of them.
          acts.pointer(AWAY.x, AWAY.y, 0)
          await untilDrawn(acts)
          const before = { here: await partNow(acts, HERE), there: await partNow(acts, THERE) }
          // A menu that it opened would hold the pointer, and none would open where the other presses.
          click(looks, THERE)
          await looks.picture()
          click(acts, HERE)
          for (const viewer of [acts, looks])
            await expect
              .poll(() => partNow(viewer, HERE), { timeout: patience(20_000) })
              .not.toBe(before.here)
          expect(await partNow(acts, THERE)).toBe(before.there)
          acts.key(ESCAPE)
          acts.pointer(AWAY.x, AWAY.y, 0)
          await expect.poll(() => partNow(looks, HERE), { timeout: patience(20_000) }).toBe(before.here)
        },
        patience(120_000),
      )

      it('opens by a ticket once, for what it was given for, from the console’s own page', async () => {
        const path = await pathBy('vnc_view')
        const first = await openAt(path)
        expect('width' in first).toBe(true)
        expect(await openAt(path)).toMatchObject({ code: 4401 })
        if ('socket' in first) first.socket.terminate()
        const looking = await pathBy('vnc_view')
        expect(await openAt(looking.replace('view=1&', ''))).toMatchObject({ code: 4401 })
        expect(await openAt(looking)).toMatchObject({ code: 4401 })
        const response = await fetch(`${kit.daemon.daemon.url}${await pathBy('vnc')}`)
        expect(response.status).toBeGreaterThanOrEqual(400)
      })

      it(
        'ends with the session that opened it, and the machine’s with a lockdown',
        async () => {
          const other = createBrowser(kit.daemon)
          await other.signIn()
          const viewer = await openAt(await pathBy('vnc', other))
          if ('code' in viewer) throw new Error(viewer.reason)
          const over = new Promise((resolve) => viewer.socket.once('close', resolve))
          await other.send('/console/api/session/logout', { method: 'POST' })
          expect(await over).toBe(4401)
          const stays = await view('vnc')
          const locked = new Promise((resolve) => stays.socket.once('close', resolve))
          await kit.daemon.admin('POST', '/v1/panic')
          expect(await locked).toBe(4503)
          await kit.daemon.admin('POST', '/v1/panic/end', { confirm: 'unlock' })
        },
        patience(60_000),
      )

      it(
        'listens nowhere but within its machine, and has no password to be read',
        async () => {
          await admin('POST', '/claw-desktop/order', { order: 'wake' })
          await untilState('running')
          const id = await containerNow()
          const inspected = JSON.parse((await run('docker', ['inspect', id])).stdout)[0]
          expect(inspected.HostConfig.NetworkMode).toBe('none')
          expect(inspected.NetworkSettings.Ports).toEqual({})
          const inside = async (command: string) =>
            (await run('docker', ['exec', id, 'sh', '-c', command])).stdout
          const ports = (await inside('cat /proc/net/tcp'))
            .split('\n')
            .filter((line) => / 0A /.test(line))
            .map((line) => /:([0-9A-F]{4}) /.exec(line)?.[1])
            .sort()
          // The way outside and the front: no VNC, no X.
          expect(ports).toEqual(['0035', '0050', '01BB', '0C38', '2405'])
          expect((await inside('ls -l /tmp/desktop')).match(/^\S+/gm)).toEqual(
            expect.arrayContaining(['srw-------', '-rw-------']),
          )
          expect(await inside('DISPLAY=:1 XAUTHORITY=/nowhere xset q 2>&1 || true')).toContain(
            'unable to open',
          )
        },
        patience(60_000),
      )

      /** A sum over the pixels of the part, as the page shows it. */
      const shown = (page: Page, { x, y, w, h }: typeof HERE): Promise<number> =>
        page.evaluate<number>(
          `[...document.querySelector('.screen canvas').getContext('2d').getImageData(${x}, ${y}, ${w}, ${h}).data].reduce((sum, value) => (sum * 31 + value) % 1000000007, 7)`,
        )
      /** It is connected before its first picture has come. */
      const untilPlain = (page: Page) =>
        expect
          .poll(
            async () => {
              const [here, there] = [await shown(page, HERE), await shown(page, THERE)]
              const isDrawn = await page.evaluate<boolean>(
                `document.querySelector('.screen canvas').getContext('2d').getImageData(${HERE.x}, ${HERE.y}, 1, 1).data[0] > 0`,
              )
              return isDrawn && here === there
            },
            { timeout: patience(20_000) },
          )
          .toBe(true)
      /** Each WebSocket of a viewer that the page opens: its address, and how many messages of keys and pointer it sent. */
      const viewersOf = (page: Page) => {
        const viewers: { readonly url: string; readonly acts: () => number }[] = []
        page.on('websocket', (socket) => {
          let acts = 0
          socket.on('framesent', ({ payload }) => {
            if (typeof payload !== 'string' && ACTING.has(payload[0] ?? 0)) acts += 1
          })
          if (socket.url().includes('/vnc?')) viewers.push({ url: socket.url(), acts: () => acts })
        })
        return viewers
      }
      const pointed = async (page: Page, { x, y }: { x: number; y: number }): Promise<void> => {
        const box = await page.locator('.screen canvas').boundingBox()
        if (box === null) throw new Error('no canvas')
        const scale = box.width / 1_280
        await page.mouse.move(box.x + x * scale, box.y + y * scale)
      }
      const pressed = async (page: Page, at: { x: number; y: number }): Promise<void> => {
        await pointed(page, at)
        await page.mouse.down({ button: 'right' })
        await page.mouse.up({ button: 'right' })
      }

      it(
        'is shown by the page, which acts only where somebody takes over',
        async () => {
          const { page, defects, signIn } = await kit.person(DESKTOP)
          const opened = viewersOf(page)
          await signIn('/hosts/claw/desktop')
          await page.getByText('Connected: you look.').waitFor()
          await untilPlain(page)
          const before = await shown(page, HERE)
          await pressed(page, THERE)
          await page.getByRole('button', { name: 'Take over' }).click()
          await page.getByText('Connected: you use it.').waitFor()
          await untilPlain(page)
          const there = await shown(page, THERE)
          await pressed(page, HERE)
          await expect.poll(() => shown(page, HERE), { timeout: patience(20_000) }).not.toBe(before)
          expect(await shown(page, THERE)).toBe(there)
          // Each of two would hold the other's mistake: the page says nothing, and its ticket would not let it.
          expect(opened.map(({ url, acts }) => [url.includes('view=1'), acts() > 0])).toEqual([
            [true, false],
            [false, true],
          ])
          await page.locator('.screen canvas').press('Escape')
          await expect.poll(() => shown(page, HERE), { timeout: patience(20_000) }).toBe(before)
          // Where it stands the next who looks sees it, in the picture.
          await pointed(page, AWAY)
          await page.locator('.screen canvas').press('Shift+Escape')
          expect(await page.locator(':focus').textContent()).toBe('Only look')
          await expectAccessibleInBothThemes(page)
          await page.setViewportSize(NARROW)
          await expectNoSidewaysScroll(page)
          expect(defects).toEqual([])
        },
        patience(120_000),
      )

      it('is its owner’s alone: who approves is told so, and gets no ticket', async () => {
        const { body } = await kit.daemon.admin('POST', '/v1/console/link', { approver: String(ANN.id) })
        const { page } = await kit.person(DESKTOP)
        const opened = viewersOf(page)
        await page.goto(`${origin()}/console/hosts/claw/desktop${new URL(body.url).hash}`)
        await page.getByText('A desktop is its owner’s to see').waitFor()
        expect(await page.locator('.screen').count()).toBe(0)
        for (const purpose of ['vnc', 'vnc_view']) {
          const asked = await page.evaluate<[number, string]>(
            `fetch('/console/api/hosts/claw/tickets', {
               method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"purpose":"${purpose}"}'
             }).then(async (answer) => [answer.status, (await answer.json()).error.code])`,
          )
          expect(asked).toEqual([409, 'refused'])
        }
        expect(opened).toEqual([])
      })

      it(
        'is woken by who clicks on its picture while it is paused, which goes on by itself',
        async () => {
          const { page, signIn } = await kit.person(DESKTOP)
          await signIn('/hosts/claw/desktop')
          await page.getByRole('button', { name: 'Take over' }).click()
          await page.getByText('Connected: you use it.').waitFor()
          await untilPlain(page)
          const before = await shown(page, HERE)
          await admin('POST', '/claw-desktop/order', { order: 'sleep' })
          const paused = page.getByText('It is paused, and its picture stands still')
          await paused.waitFor()
          await page.locator('.screen canvas').click()
          await untilState('running')
          await paused.waitFor({ state: 'detached' })
          // On the same connection.
          await pressed(page, HERE)
          await expect.poll(() => shown(page, HERE), { timeout: patience(20_000) }).not.toBe(before)
          await page.locator('.screen canvas').press('Escape')
          await pointed(page, AWAY)
          await expect.poll(() => shown(page, HERE), { timeout: patience(20_000) }).toBe(before)
        },
        patience(120_000),
      )

      it(
        'comes back by itself behind a restart of the daemon, and wakes nobody by that',
        async () => {
          const { page, signIn } = await kit.person(DESKTOP)
          const opened = viewersOf(page)
          await signIn('/hosts/claw/desktop')
          await page.getByText('Connected: you look.').waitFor()
          await untilPlain(page)
          await kit.daemon.daemon.stop()
          await page.getByText('It is tried again.').waitFor()
          await kit.daemon.restart()
          await page.getByText('Connected: you look.').waitFor({ timeout: patience(60_000) })
          await untilPlain(page)
          expect(new Set(opened.map(({ url }) => url)).size).toBe(opened.length)
          expect(opened.length).toBeGreaterThan(1)
          await untilState('running')
          await admin('POST', '/claw-desktop/order', { order: 'sleep' })
          await untilState('paused')
          await kit.daemon.restart()
          await page.getByText('it is paused now: connect to wake it').waitFor({ timeout: patience(60_000) })
          expect((await desktopNow())?.state).toBe('paused')
          await page.getByRole('button', { name: 'Connect' }).click()
          await page.getByText('Connected: you look.').waitFor({ timeout: patience(60_000) })
        },
        patience(240_000),
      )

      it(
        'keeps what was signed in to while it is asleep, and nothing of it is there once it is taken away',
        async () => {
          await admin('POST', '/claw-desktop/order', { order: 'wake' })
          await untilState('running')
          expect(await cookiesInside(await containerNow(), 'put')).toBe('signed-in')
          await admin('POST', '/claw-desktop/order', { order: 'stop' })
          await untilState('asleep')
          await admin('POST', '/claw-desktop/order', { order: 'wake' })
          await untilState('running')
          expect(await cookiesInside(await containerNow(), 'names')).toBe('signed-in')
          await admin('POST', '/claw/desktop', { on: false })
          await vi.waitFor(async () => expect(await desktopNow()).toBeUndefined(), {
            timeout: patience(60_000),
          })
          const ofIt = ['--filter', `label=oauth3.machine=${machineId}`, '-q']
          const left = [
            await run('docker', ['ps', '-a', ...ofIt]),
            await run('docker', ['volume', 'ls', ...ofIt]),
          ]
          expect(left.map(({ stdout }) => stdout)).toEqual(['', ''])
        },
        patience(180_000),
      )
    },
    {
      agent: 'other',
      environment: { OAUTH3_SANDBOX: 'docker', OAUTH3_POOL_SIZE: '0' },
      hosting: {
        image: MACHINE_IMAGE,
        command: ['/bin/deno', 'eval', PLAYED_MACHINE],
        memoryBytes: 1_024 * 1_048_576,
      },
    },
  )
})
