import { latinLook } from '../facts/index.ts'

/** Digits and marks that pass for the letters of the reserved name; its own digit stays. */
const PASSES: Readonly<Record<string, string>> = { '0': 'o', '4': 'a', '7': 't', '@': 'a', v: 'u' }
const RESERVED = /^(?:oauth)(?:3|iii|three)/

/**
 * Impersonation of the daemon on its own card: whether a skill id claims to be of OAuth3 itself, `oauth3` at its beginning,
 * in any case, with separators anywhere, or in characters that look like it (`0auth3`, `o-auth3/…`).
 */
export const isReservedSkillId = (skillId: string): boolean =>
  RESERVED.test(
    latinLook(skillId)
      .replace(/[^a-z0-9@]+/g, '')
      .replace(/[047@v]/g, (char) => PASSES[char] ?? char),
  )
