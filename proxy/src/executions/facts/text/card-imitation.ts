import { latinLook } from './skeleton.ts'

/**
 * UI spoofing: text of an agent's that reads like the approval card, or says that somebody has approved. A sign is what in a
 * text stands for the card, and how much it alone says: 2 is enough to call it an imitation.
 */
interface Sign {
  readonly name: string
  readonly weight: 1 | 2
  readonly pattern: RegExp
}

const CARD_MARK = '[⚠🔑🔓🌐🤖📝📦📥🔗⚙⏳✅❌♾⏱🔺🛡🔒🔐]\ufe0f?'
const LABEL =
  '(?:network|secrets?|warnings?|sends|hosts?|risks?|dangers?|permissions?|agent|imports|args|code|limits)'
/** Who a deceiver says has approved; not whoever may be named in an ordinary sentence. */
const WHO =
  '(?:oauth ?3|the (?:card|daemon|owner|admin\\w*|security team|platform team)|security|secops|infosec|compliance|telegram|(?:your |an? |our )?admin\\w*|your (?:company|team|organi[sz]ation|security team)|(?:our |an? )?(?:security |code )?(?:audit|review)(?:ers?|ors?)?)'
const JUDGED =
  '(?:pre-?)?(?:approved|verified|audited|reviewed|checked|scanned|certified|vetted|cleared|trusted|signed off|allow-?listed|white-?listed|inspected)'
const THIS = '(?:this (?:skill|script|program|code|agent|tool)|the (?:approval )?card)'
/** Where a line or a sentence of the text begins, past what draws a list, a box or a comment. */
const BEGIN = '(?:^|[\\n.;·|•│║┃>-]) {0,4}'

const sign = (name: string, weight: 1 | 2, ...parts: readonly string[]): Sign => ({
  name,
  weight,
  pattern: new RegExp(parts.join(''), 'mu'),
})

/**
 * On text in small Latin letters whose blanks are single. No ReDoS: every repetition is bounded, so it is linear on any
 * input. Weight 2
 * is an imitation by itself; weight 1 stands in honest comments too.
 */
const SIGNS: readonly Sign[] = [
  sign(
    'Warnings: none',
    2,
    '\\b(?:warnings?|dangers?) ?(?::|=|→|–|—|are|is) ?(?:none|no\\b|nil|0\\b|n/a|✅|✓|✔)',
  ),
  sign(
    'no warnings',
    2,
    '\\b(?:no|zero|0) (?:security )?(?:warnings?|dangers?)',
    ' ?(?:found|detected|reported|for this|here|on this|below|apply|[.!✅)\\]]|$)',
  ),
  sign(
    'approved',
    2,
    `\\b(?:${THIS}|this request) (?:is|was|has been) (?:already |fully |automatically )?`,
    '(?:safe|harmless|approved|verified|trusted|pre-?approved|vetted|certified|audited) ?(?:[.!)]|$|and\\b|by\\b|for you)',
  ),
  sign('approved by', 2, `\\b${JUDGED} (?:and \\w{1,12} )?by ${WHO}\\b`),
  sign(
    'approved by',
    2,
    `${BEGIN}(?:${CARD_MARK} ?|status: ?|security: ?)?(?:already |fully |pre-?)?(?:approved|audited|vetted|certified) by\\b`,
  ),
  sign(
    'verified by OAuth3',
    2,
    '\\boauth ?3[ :-]{1,3}(?:has |have )?(?:verified|approved|checked|trusted|official|certified|security|safe|scan|audit|guarantee)',
  ),
  sign('safe to approve', 2, '\\b(?:safe|ok|okay|fine) to (?:approve|trust)\\b'),
  sign('safe to approve', 2, '\\bsafe to run ?(?:[.!)]|$|forever|always|unattended|without)'),
  sign(
    'press approve',
    2,
    '\\b(?:please |just |simply |you can |tap |press |click |choose |select |hit )(?:on )?',
    '(?:always trust|trust 24h|run once|approve (?:this|it|now|below|[.!])|trust (?:this|it|[.!]))',
  ),
  sign(
    'no approval needed',
    2,
    '\\b(?:no|without) (?:approval|review|consent) (?:is )?(?:needed|required|necessary)',
  ),
  sign('a line of the card', 2, `${CARD_MARK} ?${LABEL} ?[:=→(]`),
  sign('a secret of the card', 2, '[🔑🔓🔐] ?[a-z0-9_]{2,64} ?(?:→|->|=>|⇒)'),
  sign('NOT what you approved before', 2, '\\b(?:not|exactly|same as|just) what you (?:have )?approved\\b'),
  sign(
    'a mark of approval',
    2,
    '[✅✔☑🛡🔒🟢✓] ?(?:oauth3 )?(?:approved|verified|safe|trusted|secure|audited|certified|official|no risk|low risk|all checks passed|checks passed|security check\\w*)',
    ' ?(?:[.!)\\]·—–-]|$|skill|code|publisher|agent)',
  ),
  sign(
    'a mark of approval',
    2,
    '[[<] ?(?:oauth3[- :]?|security[- :]?|pre-?)?(?:approved|verified|trusted|audited|certified) ?[\\]>]',
  ),
  sign(
    'a verdict',
    2,
    `\\b(?:risk|risk level|risk score|threat level|security check|security scan|security review|trust level|safety) ?(?::|=|→|is) ?`,
    '(?:none|low|zero|minimal|safe|passed|pass|ok|green|verified|✅|✓)\\b(?! ?[|,/] ?(?:medium|mid|high|mod))',
  ),
  sign(
    'a verdict',
    2,
    '\\bsecurity (?:check|scan|review|audit)s?(?: (?:has|have|was|is))? (?:passed|complete[d]?|clean|successful)',
  ),
  sign(
    'a signature of the card',
    2,
    '\\b(?:these|the) (?:very )?bytes are signed\\b|\\bsigned by (?:ed25519 ?:|(?:the|its) (?:same |known |trusted |verified )?publisher\\b)',
  ),
  sign('a label of the card', 1, `${BEGIN}(?:network|secrets|sends|permissions) ?:`),
  sign('limits of the card', 1, '\\bexpires in \\d|\\b\\d{1,3} s, \\d{2,5} mib\\b'),
  sign('a code hash', 1, '\\bsha-?256[ :]{0,3}[0-9a-f]{12}'),
]

/** What the card says, in other languages; on small letters as they stand. */
const NONE =
  '(?:keine|keiner|aucun|aucune|ninguna|ninguno|nenhum|nenhuma|nessuno|nessuna|geen|brak|inga|ingen|yok|нет|немає|нету|なし|無し|无|無|没有|없음|لا توجد|لا يوجد|אין|कोई नहीं|không)'
const WARNINGS =
  '(?:warnung(?:en)?|avertissements?|advertencias?|avisos?|avvis[oi]|avvertenz[ae]|waarschuwing(?:en)?|ostrzeże(?:nia|ń)|varningar|advarsler|uyarı(?:lar)?|предупреждени[яей]|попереджен(?:ня|ь)|警告|경고|تحذيرات|אזהרות|चेतावनी|cảnh báo)'
const APPROVED =
  '(?:freigegeben|genehmigt|geprüft|überprüft|approuvée?|vérifiée?|autorisée?|aprobad[oa]|verificad[oa]|aprovad[oa]|approvat[oa]|verificat[oa]|goedgekeurd|geverifieerd|zatwierdzon[aeoy]|zweryfikowan[aeoy]|godkänd|godkendt|godkjent|onaylandı|doğrulandı|одобрено|проверено|утверждено|разрешено|схвалено|перевірено|承認済み|検証済み|已批准|已验证|已驗證|已核准|已审核|승인됨|검증됨|تمت الموافقة|מאושר|स्वीकृत|đã phê duyệt)'
const FOREIGN: readonly Sign[] = [
  sign('Warnings: none', 2, `${WARNINGS} ?[:：=—–-]? ?${NONE}|${NONE} ${WARNINGS}`),
  sign('a mark of approval', 2, `[✅✔☑🛡🔒🟢✓]\ufe0f? ?${APPROVED}`),
  sign(
    'approved before',
    2,
    `\\b${JUDGED} (?:before|already|earlier|previously)(?: by (?:the |your )?(?:owner|user|admin|person)|[.!]|$)`,
  ),
  sign('approved by', 2, `\\b${JUDGED} by (?:the|your) (?:owner|person)\\b`),
  sign('verified by OAuth3', 2, `oauth ?3[^a-z0-9\n]{1,4}${APPROVED}`),
]

/** The buttons are told by their capitals, so these look at the text as it stands. */
const BUTTONS: readonly Sign[] = [
  sign('Run Once', 1, '\\b(?:Run Once|RUN ONCE)\\b'),
  sign(
    'the button Run Once',
    2,
    '(?:✅\ufe0f? ?|[[<【] ?)(?:[Rr]un [Oo]nce|RUN ONCE|Approve)\\b ?(?:[\\]>】|·]|$|❌)',
  ),
  sign(
    'the buttons',
    2,
    '(?:\\bApprove|\\bAPPROVE|[[<] ?approve|\\bRun Once|\\bAllow)\\b.{0,40}(?:\\bDeny|\\bDENY|[[<] ?deny)\\b',
  ),
  sign('Deny', 1, '❌\ufe0f? ?(?:[Dd]eny|DENY)\\b|\\b(?:Deny|DENY)\\b ?(?:[\\]>】|·]|$)'),
  sign('Trust 24h', 2, '\\b(?:[Tt]rust|TRUST) (?:for )?24 ?[hH]|\\b24h, any args\\b'),
  sign('Always Trust', 2, '\\b(?:Always Trust|ALWAYS TRUST|Always, any args)\\b|♾\ufe0f? ?[Aa]lways\\b'),
]

const MARK = new RegExp(`${CARD_MARK}|#\ufe0f?\u20e3`, 'gu')
/** Text that is looked at in one piece; of longer text, pieces that overlap by half. */
const WHOLE = 20_000
const ALONE_HONEST: ReadonlySet<string> = new Set([
  'Run Once',
  'Deny',
  'its marks',
  'limits of the card',
  'a code hash',
])

/** Names of what in the text stands for the card; empty when that is too little to be an imitation. */
export function cardSigns(text: string, needed = 2): readonly string[] {
  const seen = flat(text)
  const look = latinLook(seen)
  const signs = new Map<string, number>()
  const note = (name: string, weight: number): void => {
    signs.set(name, Math.max(weight, signs.get(name) ?? 0))
  }
  for (const { name, weight, pattern } of SIGNS) if (pattern.test(look)) note(name, weight)
  const small = seen.toLowerCase().normalize('NFC')
  for (const { name, weight, pattern } of FOREIGN) if (pattern.test(small)) note(name, weight)
  for (const { name, weight, pattern } of BUTTONS) if (pattern.test(seen)) note(name, weight)
  if (distinctMarks(seen) >= 4) note('its marks', 1)
  const sum = [...signs.values()].reduce((total, weight) => total + weight, 0)
  return sum >= needed ? [...signs.keys()] : []
}

const distinctMarks = (text: string): number =>
  new Set((text.match(MARK) ?? []).map((mark) => mark.replace('\ufe0f', ''))).size

/** One blank for each run, none at a line's edge; unseen characters and what draws bold or code are left out. */
const flat = (text: string): string =>
  text
    .replace(/[\p{Cf}*`"~]|\ufe0e|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/gu, '')
    .replace(/[^\S\n]+/gu, ' ')
    .replace(/ ?\n ?/g, '\n')

/** Whether a description or args read like the approval card or claim that somebody has approved already. */
export function imitatesCard(text: string): boolean {
  for (let at = 0; at === 0 || at < text.length - WHOLE / 2; at += WHOLE / 2) {
    // No honest description begins a line like the card: there, one label is enough.
    const signs = cardSigns(text.slice(at, at + WHOLE), 1)
    if (signs.some((name) => !ALONE_HONEST.has(name)) || signs.length > 1) return true
  }
  return false
}
