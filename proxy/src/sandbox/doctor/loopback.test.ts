import { existsSync } from 'node:fs'
import { release } from 'node:os'
import { expect, it } from 'vitest'
import { loopbackSysctls } from './loopback.ts'

const here = release()

it('tunes the loopback of a container on a kernel that has the setting', () => {
  const known = existsSync('/proc/sys/net/ipv4/tcp_pingpong_thresh')
  const expected = known ? { 'net.ipv4.tcp_pingpong_thresh': '255' } : {}
  expect(loopbackSysctls(here, undefined)).toEqual(expected)
  expect(loopbackSysctls(here, 'crun')).toEqual(expected)
})

it('leaves it alone where the kernel is another one, or not known', () => {
  expect(loopbackSysctls(`${here}-other`, undefined)).toEqual({})
  expect(loopbackSysctls(undefined, undefined)).toEqual({})
  expect(loopbackSysctls(here, 'runsc')).toEqual({})
})
