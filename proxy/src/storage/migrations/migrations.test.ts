import { createHash } from 'node:crypto'
import SqliteDatabase, { type Database } from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { columnsOf, fillOldDatabase, OLD_ROWS } from '../../../test/support/old-database.ts'
import { migrateSqlite, type SchemaProgress } from '../sqlite/migrate.ts'
import { splitStatements } from '../sqlite/split-statements.ts'
import { POSTGRES_MIGRATIONS } from './postgres/index.ts'
import { SQLITE_MIGRATIONS } from './sqlite/index.ts'

/** SHA-256 of each that has landed, in order; a new one is added here when it lands. */
const LANDED = {
  sqlite: [
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
    '57f0916047c1af3533155979a8adda60b763cbd3e8c20ec0bba1d6c8b60346e7',
    '4a63a651bc39aaba4e00885c81ea2258a60526ee1e7378cabd8dedca8f94da34',
    '3495d3675a312a3dd35672b8235df27e17d4029661dfeb9191c52beef34a756c',
    '382b779cd9516deead8ba9f16c1de90894db8b94a791d28c5be1420f531ddce6',
    'e1464299e05e9ea1200ad70e44f3349f4c772c9a7bdbc57531e9834ef9d07dfe',
    'deb8468e9e838e432206914d0f9c576c4d5a72e77dd3b2b76587b5afd3fd1205',
    '2fc9b685f83a7fd9e83f49c8457a701d29d8bad2cda5b31ae2834bb8e4755d9b',
    'cae109009e90a46272c10950fd3fe92e45d72306553e4ed3770542cec4900fde',
    '16a756f7b75ea02dd7b0644be15e79cd3811cecc7b2696456f2f6e04500fa818',
    'd89e1ec07be84f2345062c5f58727019d8bf62dc083283785731893953e37992',
    'aa16e4c1f8fc810c2b67cce94633b66658c7a62cd049cfb2bd3121d9b49652ab',
    'd888eee894e42bbde551dcd77df3db185f442b0507b10ab96b05cb4236f6e211',
    '38dd2c43ec2d2f069ce6e793f548f3b5d5cd2580bfd53ecf7182f913d0cf1c24',
    '86ec7c0b301ea7c2b94e1781db464f69a758c338e7452513d9acafc2f4965fee',
    '11083d4be4bcfe96f2da93e162a380030aea1a45e87a4e3e42846154c2de8b35',
    '828d5f4cf4a0390656bd2528b69f0d08a47698db1fe8e8751d1fc1ac78fea80b',
    '306ca47db0871a1c5fafed9a7ac5dedd3c66ffc42923135f831bef21b9df0cd8',
    '3670a84ae4725c311f593f487dfa929e7c610daa6dfc49e00161747ba3fcc356',
    'cd0bfddd20606c340a747917e952304423c21c2f851d2839c7582be6f7e25c9f',
    '9d04afcf0270ecb95017cf29a8d505f6bd3111c95f8d878dbe5c2cb95aaeda20',
    '1f8ab95c969b16bb4523b98ca6603ca9942e21dd0df63a37b3df870518857181',
    'f3a36c27bd33d0e0f0055830cd13b068097f0e00f981f0567720ca41662c020e',
    '9adb9871e5735728ead011e18a9e266a6a495427e0afb06dc67efcf115fee344',
    '4132c00fca662465c0ac18c265ba18c13862d04a23a115e8d975f0b92233d397',
  ],
  postgres: [
    'bc29de57825f1ef8b1748bdc2eade05554c616cd9d24d5bc49870e1a4b4b192e',
    '4426afc5122607991e033c48560ac3a73e9942ad3fd7fa62e9973fd8f8c780e8',
    'def23f7ee1d3587c717736fa8f56334a5a5516da4019d331df1987bbf5c9ca09',
    '7fe7abab561d8b8801d8a1cc8ad974361bae04bdfe3f6f560f605f9a86fc8597',
    '5684a7d9431fbda23e8735c0d37fda135f777698bca9712b58efae6899fb1153',
    '3a9872472bd5bbdadee7b7004d80e63faaf7453220b9f92d0db1e8c965613826',
    'f62b7fdbb72dbacced4c8ef88b484dd38e924737068fdf9225977d32eef7e1f9',
    '76d5cb87a633ae401259594da3d9c8c364366959c404a910d51ce6abfb236c48',
    'e0802140204e3f73818be7a955afbb5c6345ce5294fac96c7a3847eca0d7c11e',
    '1ca14b6debafba214162ab871d4069f1cbcf2e310f2e4b1c4b2e9a5ec11b70e2',
    '76725f116527e2db6373b7664fa5464c41ee643276a5deb5bf3b280a2931e46f',
    'ecc83e7205638eb4a7a4da3f0add213f5bfd39fbe83c8776a2b29761dbc6dc0b',
    '760f493787263d9f2b01b0a13741c22c35464a60f84cc4eea630b48a10d01139',
    'f08d7920e76da781bb15dfcb73dae9f0354137f295e622fed9572306a736784d',
    'eb1028d0486700b159de99972bacdf2e11278da3e29e9ac20fe4236520f701e9',
    '5c41855b260b261ed8ee97fe515c668ae0edf3a136ba01b299cda12ab683b327',
    '1aa8b330973b3d7fdcaec195ac17b6bf772335936c1b5b03d301b3090153a181',
    '23c6e54e76ceda803455260e8c6bcccbfc98f3dc425ea2eb1a34035afd00911b',
    '85f01100cc2861455ff38ba294cc0ff1ac7576ac4b6e66ffe1667763e7053a50',
    '076c02b2a681e5543e3f7c6af733c9816236521cdad926ceec51f4e4a5befcce',
    '343e19a4b814d1ec83f784fb345ea07fac3effc6d95ae778df0c0a583bfcdcb6',
    '436ebda5cf11263e96410e7f524c0ab874503e3f4230e1d61f29507aed9159da',
    '422881466389ad3c951c04d386ce121124c06ee4618a6e3a739eca6b65d595fe',
    '4132c00fca662465c0ac18c265ba18c13862d04a23a115e8d975f0b92233d397',
  ],
}

it.each([
  ['sqlite', SQLITE_MIGRATIONS],
  ['postgres', POSTGRES_MIGRATIONS],
] as const)(
  'of %s that has landed is never edited or moved, whichever file it stands in',
  (engine, migrations) => {
    expect(migrations.map((sql) => createHash('sha256').update(sql).digest('hex'))).toEqual(LANDED[engine])
  },
)

it('of SQLite is the same statement by statement, in however many parts it is told of', () => {
  const schemaOf = (db: Database): unknown[] =>
    db.prepare('SELECT type, name, sql FROM sqlite_master ORDER BY type, name').raw().all()
  const [whole, split] = [new SqliteDatabase(':memory:'), new SqliteDatabase(':memory:')]
  for (const sql of SQLITE_MIGRATIONS) {
    whole.exec(sql)
    // A trigger that is cut in its body is a syntax error.
    for (const statement of splitStatements(sql)) split.exec(statement)
    expect(schemaOf(split)).toEqual(schemaOf(whole))
  }
  const odd = `SELECT 'a;''b'; -- c; d
    CREATE TRIGGER t AFTER INSERT ON x WHEN CASE WHEN 1 THEN 1 END BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; SELECT ";END"; END;
    /* ; */ SELECT 1`
  expect(splitStatements(odd)).toHaveLength(3)
})

it('of SQLite says how far it is where there was a database, and nothing of a new one', () => {
  const told: SchemaProgress[] = []
  const db = new SqliteDatabase(':memory:')
  migrateSqlite(db, SQLITE_MIGRATIONS.slice(0, 3), (progress) => void told.push(progress))
  expect(told).toEqual([])
  migrateSqlite(db, SQLITE_MIGRATIONS, (progress) => void told.push(progress))
  expect(told[0]).toMatchObject({ version: 4, of: SQLITE_MIGRATIONS.length, statement: 1 })
})

it('of SQLite that breaks off leaves nothing of a new file, and of an older one what was whole', () => {
  const broken = [...SQLITE_MIGRATIONS.slice(0, 4), 'CREATE TABLE more (id INTEGER); CREATE TABLE;']
  const versionOf = (db: Database): unknown => db.pragma('user_version', { simple: true })
  const db = new SqliteDatabase(':memory:')
  expect(() => migrateSqlite(db, broken)).toThrow('syntax error')
  expect([versionOf(db), db.prepare('SELECT name FROM sqlite_master').all()]).toEqual([0, []])
  migrateSqlite(db, SQLITE_MIGRATIONS.slice(0, 3))
  expect(() => migrateSqlite(db, broken)).toThrow('syntax error')
  expect(versionOf(db)).toBe(4)
  expect(columnsOf(db, 'more')).toEqual([])
  migrateSqlite(db, SQLITE_MIGRATIONS)
  expect(versionOf(db)).toBe(SQLITE_MIGRATIONS.length)
})

/** The first version in which rows have tenants. */
const TENANTS = SQLITE_MIGRATIONS.findIndex((sql) => sql.includes('CREATE TABLE tenants')) + 1

function databaseOf(version: number): Database {
  const db = new SqliteDatabase(':memory:')
  migrateSqlite(db, SQLITE_MIGRATIONS.slice(0, version))
  return db
}

const rowsOf = (db: Database, table: string, columns: readonly string[]): unknown[] =>
  db.prepare(`SELECT ${columns.join(', ')} FROM ${table} ORDER BY ${columns.join(', ')}`).all()

/** Bytes of each agent, as what is stored adds up to. */
const SUMS = `SELECT tenant_id, agent_id, sum(bytes) AS bytes FROM (
  SELECT tenant_id, agent_id, octet_length(consent) + octet_length(changes) + output_bytes + 1024 AS bytes FROM executions
  UNION ALL SELECT tenant_id, agent_id, bytes FROM content_holders
  UNION ALL SELECT tenant_id, agent_id, octet_length(key) + 256 FROM idempotency) GROUP BY tenant_id, agent_id`

describe('a database of before tenants', () => {
  it.each(Array.from({ length: TENANTS - 1 }, (_, index) => index + 1))(
    'of version %i opens with every row that it had, as rows of the tenant default',
    (version) => {
      const db = databaseOf(version)
      fillOldDatabase(db)
      const tables = Object.keys(OLD_ROWS).filter(
        (table) => columnsOf(db, table).length > 0 && table !== 'meta',
      )
      const before = tables.map((table) => rowsOf(db, table, columnsOf(db, table)))
      const columns = tables.map((table) => columnsOf(db, table))
      migrateSqlite(db, SQLITE_MIGRATIONS)
      tables.forEach((table, index) => {
        expect(rowsOf(db, table, columns[index] ?? []), table).toEqual(before[index])
        expect(db.prepare(`SELECT DISTINCT tenant_id FROM ${table}`).pluck().all(), table).toEqual([
          'default',
        ])
      })
      expect(db.prepare('SELECT * FROM agent_storage').all()).toEqual(db.prepare(SUMS).all())
      expect(db.prepare('SELECT id, name, removed_at FROM tenants').all()).toEqual([
        { id: 'default', name: 'default', removed_at: null },
      ])
      expect(db.pragma('foreign_key_check')).toEqual([])
      expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
    },
  )

  it('parts what the installation keeps from what its tenant keeps', () => {
    const db = databaseOf(TENANTS - 1)
    fillOldDatabase(db)
    migrateSqlite(db, SQLITE_MIGRATIONS)
    expect(db.prepare('SELECT key FROM installation').pluck().all()).toEqual(['instance_id', 'kdf'])
    expect(db.prepare('SELECT tenant_id, key FROM meta').raw().all()).toEqual([
      ['default', 'audit_key'],
      ['default', 'clock_high_water'],
      ['default', 'telegram_chat_moved'],
    ])
  })

  it('gives no id twice, also not one whose row is gone', () => {
    const db = databaseOf(TENANTS - 1)
    fillOldDatabase(db)
    db.exec('DELETE FROM outbox; DELETE FROM provider_keys; DELETE FROM provider_grants')
    migrateSqlite(db, SQLITE_MIGRATIONS)
    db.exec(
      `INSERT INTO outbox (tenant_id, lane, kind, payload, next_at, created_at) VALUES ('a', 'l', 'k', '{}', 1, 1)`,
    )
    expect(db.prepare('SELECT id FROM outbox').pluck().all()).toEqual([23])
    expect(db.prepare('SELECT name, seq FROM sqlite_sequence ORDER BY name').raw().all()).toEqual([
      ['outbox', 23],
      ['provider_grants', 13],
      ['provider_keys', 3],
    ])
  })

  it('with a row that refers to none stays as it is', () => {
    const db = databaseOf(TENANTS - 1)
    fillOldDatabase(db)
    db.pragma('foreign_keys = OFF')
    db.exec(`DELETE FROM agents WHERE id = 'agt_2'`)
    expect(() => migrateSqlite(db, SQLITE_MIGRATIONS)).toThrow('refer to none')
    expect(db.pragma('user_version', { simple: true })).toBe(TENANTS - 1)
    expect(columnsOf(db, 'executions')).not.toContain('tenant_id')
  })
})
