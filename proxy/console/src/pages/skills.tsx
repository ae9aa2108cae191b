import { useState } from 'preact/hooks'
import type { SkillView } from '../../../src/contracts/admin/index.ts'
import { ConfirmButton } from '../admin/act.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { bytes } from '../admin/texts.ts'
import { Names, Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'
import { Link } from '../ui/link.tsx'
import { Registries } from './registries.tsx'
import type { PageProps } from './table.ts'

/** Pins a version to the bytes that are listed now, or takes what is listed again. */
function PinButton({ of, after }: { readonly of: SkillView; readonly after: () => void }) {
  const skill = `${of.name}@${of.version}`
  if (of.pinned === null)
    return (
      <ConfirmButton
        label="Pin"
        title={`Pin ${skill} to these bytes?`}
        act={() => api.call('pinSkill', { params: { skill } })}
        done={`${skill} is pinned.`}
        after={after}
        isDanger={false}
      >
        <p>
          Other bytes under this name and version are refused then, whoever signs them:{' '}
          <span class="mono hash">{of.sha256}</span>
        </p>
      </ConfirmButton>
    )
  return <UnpinButton skill={skill} after={after} />
}

function UnpinButton({ skill, after }: { readonly skill: string; readonly after: () => void }) {
  return (
    <ConfirmButton
      label="Unpin"
      title={`Unpin ${skill}?`}
      act={() => api.call('unpinSkill', { params: { skill } })}
      done={`${skill} is pinned no more.`}
      after={after}
    >
      <p>What the registries list under it is taken again. It is asked about, as all code is.</p>
    </ConfirmButton>
  )
}

function Publisher({ of: { publisher, accepted_publisher: accepted } }: { readonly of: SkillView }) {
  return (
    <>
      <code class="hash">{publisher}</code>{' '}
      {accepted === null ? (
        <span class="soft">new to you</span>
      ) : accepted === publisher ? (
        <span class="tone-good">as before</span>
      ) : (
        <span class="tone-bad">not as before</span>
      )}
    </>
  )
}

function Skills({
  rows,
  empty,
  after,
  isOne,
}: {
  readonly rows: readonly SkillView[]
  readonly empty: string
  readonly after: () => void
  readonly isOne?: boolean
}) {
  return (
    <Table
      label="Skills"
      rows={rows}
      keyOf={({ registry, name, version }) => `${registry} ${name} ${version}`}
      empty={empty}
      columns={[
        {
          title: 'Skill',
          isName: true,
          cell: ({ name, version, description }) => (
            <>
              {isOne ? (
                <bdi>{name}</bdi>
              ) : (
                <Link to={`/skills?skill=${encodeURIComponent(name)}`}>
                  <bdi>{name}</bdi>
                </Link>
              )}{' '}
              <span class="soft">{version}</span>
              <p class="soft">
                <bdi>{description}</bdi>
              </p>
            </>
          ),
        },
        { title: 'Publisher', cell: (row) => <Publisher of={row} /> },
        { title: 'Registry', cell: ({ registry }) => <bdi>{registry}</bdi> },
        { title: 'Secrets', cell: ({ secrets }) => <Names of={secrets} none="none" /> },
        { title: 'Network', cell: ({ network }) => <Names of={network} none="none" /> },
        { title: 'Size', isNumber: true, cell: ({ bytes: size }) => bytes(size) },
        {
          title: '',
          cell: (row) => (
            <div class="acts">
              {row.pinned !== null && <span class="badge good">pinned</span>}
              <PinButton of={row} after={after} />
            </div>
          ),
        },
      ]}
    />
  )
}

/** Every version of one name. */
function Versions({ skill }: { readonly skill: string }) {
  const versions = useLoaded(() => api.call('showSkill', { params: { skill } }), skill, [
    'skill.',
    'registry.',
  ])
  return (
    <Section title={`Versions of ${skill}`} aside={<Link to="/skills">All skills</Link>}>
      <Show of={versions}>
        {({ skills }) => <Skills rows={skills} empty="None." after={versions.reload} isOne />}
      </Show>
    </Section>
  )
}

function Search() {
  const [words, setWords] = useState('')
  const found = useLoaded(() => api.call('searchSkills', { query: words === '' ? {} : { words } }), words, [
    'skill.',
    'registry.',
  ])
  return (
    <Section
      title="Skills"
      aside={
        <input
          type="search"
          aria-label="Find a skill"
          placeholder="Find …"
          maxLength={200}
          value={words}
          onInput={(event) => setWords(event.currentTarget.value)}
        />
      }
    >
      <Show of={found}>
        {({ skills }) => (
          <Skills
            rows={skills}
            empty={words === '' ? 'None: a registry lists them.' : 'No skill has all of these words.'}
            after={found.reload}
          />
        )}
      </Show>
    </Section>
  )
}

function Pins() {
  const pins = useLoaded(() => api.call('listPins'), 'pins', ['skill.'])
  return (
    <Section title="Pinned">
      <Show of={pins}>
        {({ pins: rows }) => (
          <Table
            label="Pinned skills"
            rows={rows}
            keyOf={({ skill }) => skill}
            empty="None. A pin holds a version to the bytes that you have looked at."
            columns={[
              {
                title: 'Skill',
                isName: true,
                cell: ({ skill }) => (
                  <Link to={`/skills?skill=${encodeURIComponent(skill)}`}>
                    <bdi>{skill}</bdi>
                  </Link>
                ),
              },
              { title: 'SHA-256', cell: ({ sha256 }) => <code class="hash">{sha256}</code> },
              {
                title: 'Since',
                cell: ({ pinned_at, pinned_by }) => (
                  <>
                    <Time at={pinned_at} /> by <bdi>{pinned_by}</bdi>
                  </>
                ),
              },
              {
                title: '',
                cell: ({ skill }) => (
                  <div class="acts">
                    <UnpinButton skill={skill} after={pins.reload} />
                  </div>
                ),
              },
            ]}
          />
        )}
      </Show>
    </Section>
  )
}

/** Code that others publish. A registry vouches for bytes; whether they run is asked as ever. */
export default function SkillsPage({ query }: PageProps) {
  const skill = query.get('skill')
  return (
    <>
      <h1>Skills</h1>
      <p class="lead">
        Code that others publish and sign. A registry vouches for the bytes and approves nothing: you are
        asked before any of it runs.
      </p>
      {skill === null || skill === '' ? <Search /> : <Versions key={skill} skill={skill} />}
      <Pins />
      <Registries />
    </>
  )
}
