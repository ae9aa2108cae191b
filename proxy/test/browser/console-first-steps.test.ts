import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { describeInBrowser, PHONE } from '../support/browser.ts'

describeInBrowser('an empty inbox', (kit) => {
  it('gives a command that, as it stands, brings the first card', async () => {
    const ann = await kit.person(PHONE)
    await ann.signIn()
    const command = (await ann.page.locator('pre', { hasText: 'curl' }).textContent()) ?? ''
    // Where agents reach it, by which name ever the browser came.
    expect(command).toContain(` ${kit.daemon.daemon.url}/execute `)
    const env = { PATH: process.env.PATH, OAUTH3_TOKEN: kit.daemon.token }
    const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', command], { env })
    expect(JSON.parse(stdout)).toMatchObject({ status: 'pending' })
    await ann.page.getByRole('button', { name: 'Run Once' }).tap()
    await ann.page.getByRole('link', { name: 'History' }).first().tap()
    await ann.page.locator('.row', { hasText: 'first-try' }).waitFor()
    expect(ann.defects).toEqual([])
  })
})
