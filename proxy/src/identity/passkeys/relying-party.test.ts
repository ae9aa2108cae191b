import { expect, it } from 'vitest'
import { relyingPartyOf } from './relying-party.ts'

it('is the host of an address that a browser makes passkeys for', () => {
  expect(relyingPartyOf('http://localhost:7080/console/')).toEqual({
    id: 'localhost',
    origin: 'http://localhost:7080',
  })
  expect(relyingPartyOf('https://console.example')).toEqual({
    id: 'console.example',
    origin: 'https://console.example',
  })
  expect(relyingPartyOf('http://app.localhost:1')?.id).toBe('app.localhost')
})

it.each([
  'http://127.0.0.1:7080',
  'https://192.0.2.1',
  'https://[::1]:7080',
  'http://console.example',
  'http://evillocalhost',
  'https://0x7f.1',
  'file:///console',
  'console.example',
])('is none at %s', (url) => expect(relyingPartyOf(url)).toBeNull())
