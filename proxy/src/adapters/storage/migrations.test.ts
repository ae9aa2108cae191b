import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { MIGRATIONS } from './migrations.ts'

/** SHA-256 of each that has landed, in order; a new one is added here when it lands. */
const LANDED = [
  '0b13c7d4238eaadbd233fa75a4d7bf961c1c979a45ee4cf97979a647ece6d7bc',
  '9860c2611fc532974d04b0eee5e018ce7c1c2a24ff8b3336d1246bb1bf02463e',
  'd1f6f2880c9c45c4d9e3019d6805b19d0bcfe8d3043a80ccdaca74c140f29fc6',
  '9ba9aced96a54bd66736f9876713f118d33687dc4f6378d085e3660f65aa2fef',
  'e9f7cac295f4cdd556618c5db6cc81a4b0835682bb4318c9a8d7440b96277e7f',
  'b50b290b7f0f2b2dc626d2b4df14ebfccda1d440c5a58a735f60466bfa3c5a1a',
  '8132c56fec3aa386c8738a832526fe6a0958e16a38704b26aae0ca067bb904e6',
  'f18ad82c9e67fa1f3accf96a645fd59d4b8a9885c2c01767fed3b7d4ed3b9c95',
  '9e7fd6e1d24ca59965f859100de056e728a1223e66973cb3e5b93cd2700e755e',
  '3ac3ce77449b9f2d4f28c40ff89f844ff2fe98c9f6aa3487ca1a9c3757266d3d',
  'd1244fc55c4e1789c07438e58103e715d0017abf2235d7590d36359254eb21b0',
  '871e7e5be2c729a1c227e53ac5685727146723952fc379480a83f40c6865a772',
  '1079d9aa04a33b56e41c832b90fa9e33e570f087b0830de8cd7c45581e476b71',
]

it('that has landed is never edited or moved, whichever file it stands in', () => {
  const hashes = MIGRATIONS.map((sql) => createHash('sha256').update(sql).digest('hex'))
  expect(hashes.slice(0, LANDED.length)).toEqual(LANDED)
})
