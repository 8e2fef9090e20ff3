import { Marker, type Map as MapLibre } from 'maplibre-gl'

/** What a badge says of its district. */
export interface BadgeContent {
  zone: string
  name: string
  lngLat: [number, number]
  /** The large text: a number or a word. */
  main: string
  /** The small text after it: `/ 58`. */
  rest: string
  /** The whole sentence for a screen reader and the tooltip. */
  label: string
  /** Colours with their shares of the ring, or one disc with its symbol. */
  sign:
    | { type: 'ring'; shares: { colour: string; share: number }[] }
    | { type: 'disc'; colour: string; ink: string; symbol: string }
  weight: number
}

export interface ZoneBadges {
  /** Shows exactly these; one whose text has changed glows. */
  show(contents: readonly BadgeContent[]): void
  setVisible(isVisible: boolean): void
  setChosen(zone: string | null): void
  destroy(): void
}

interface Badge {
  marker: Marker
  element: HTMLButtonElement
  content: BadgeContent
}

/** Each district's answer as a real button on the map, readable and focusable like any other. */
export function createZoneBadges(map: MapLibre, onSelect: (zone: string) => void): ZoneBadges {
  const badges = new Map<string, Badge>()
  let chosen: string | null = null
  const declutter = (): void => shrinkCovered(map, [...badges.values()])
  map.on('zoomend', declutter)
  map.on('resize', declutter)

  function add(content: BadgeContent): Badge {
    const element = document.createElement('button')
    element.type = 'button'
    element.dataset.testid = `zone-badge-${content.zone}`
    element.addEventListener('click', (event) => {
      event.stopPropagation()
      onSelect(content.zone)
    })
    const marker = new Marker({ element, anchor: 'center' }).setLngLat(content.lngLat).addTo(map)
    // After the marker has added its own class, and with the name that says more than its "Map marker".
    element.classList.add('zone-badge')
    const badge = { marker, element, content }
    if (content.zone === chosen) element.setAttribute('aria-current', 'true')
    fill(badge, content)
    return badge
  }

  return {
    show(contents) {
      const wanted = new Set(contents.map(({ zone }) => zone))
      for (const [zone, { marker }] of badges) {
        if (wanted.has(zone)) continue
        marker.remove()
        badges.delete(zone)
      }
      for (const content of contents) {
        const known = badges.get(content.zone)
        if (known) update(known, content)
        else badges.set(content.zone, add(content))
      }
      declutter()
    },
    setVisible(isVisible) {
      map.getContainer().classList.toggle('without-badges', !isVisible)
    },
    setChosen(zone) {
      badges.get(chosen ?? '')?.element.removeAttribute('aria-current')
      chosen = zone
      badges.get(zone ?? '')?.element.setAttribute('aria-current', 'true')
    },
    destroy() {
      for (const { marker } of badges.values()) marker.remove()
      badges.clear()
    },
  }
}

function update(badge: Badge, content: BadgeContent): void {
  const hasChanged = badge.content.main !== content.main || badge.content.rest !== content.rest
  badge.content = content
  fill(badge, content)
  if (!hasChanged) return
  badge.element.classList.remove('flash')
  // Asked for its size the element forgets the old animation, so that the new one starts.
  badge.element.getBoundingClientRect()
  badge.element.classList.add('flash')
}

function fill({ element }: Badge, content: BadgeContent): void {
  element.setAttribute('aria-label', content.label)
  element.title = content.label
  const sign = span('sign', '')
  if (content.sign.type === 'ring') {
    sign.classList.add('ring')
    sign.style.setProperty('--shares', toConicGradient(content.sign.shares))
  } else {
    sign.textContent = content.sign.symbol
    sign.style.setProperty('--shares', content.sign.colour)
    sign.style.setProperty('--ink', content.sign.ink)
  }
  const pill = span('pill', '')
  pill.append(sign, span('main', content.main), span('rest', content.rest))
  element.replaceChildren(pill, span('name', content.name))
}

function span(className: string, text: string): HTMLSpanElement {
  const element = document.createElement('span')
  element.className = className
  element.textContent = text
  return element
}

function toConicGradient(shares: readonly { colour: string; share: number }[]): string {
  let from = 0
  const stops = shares.map(({ colour, share }) => {
    const stop = `${colour} ${(from * 100).toFixed(1)}% ${((from + share) * 100).toFixed(1)}%`
    from += share
    return stop
  })
  return `conic-gradient(${[...stops, `var(--line) ${(from * 100).toFixed(1)}% 100%`].join(', ')})`
}

/** Where badges would cover each other, the district with more sensors says its number and the other its colours. */
function shrinkCovered(map: MapLibre, badges: readonly Badge[]): void {
  for (const { element } of badges) element.classList.remove('covered')
  const boxes = badges
    .map(({ element, content }) => ({
      element,
      weight: content.weight,
      at: map.project(content.lngLat),
      halfWidth: element.offsetWidth / 2,
      halfHeight: element.offsetHeight / 2,
    }))
    .sort((one, other) => other.weight - one.weight)
  const taken: typeof boxes = []
  for (const box of boxes) {
    const isCovered = taken.some(
      ({ at, halfWidth, halfHeight }) =>
        Math.abs(at.x - box.at.x) < halfWidth + box.halfWidth + GAP_PX &&
        Math.abs(at.y - box.at.y) < halfHeight + box.halfHeight + GAP_PX,
    )
    box.element.classList.toggle('covered', isCovered)
    if (!isCovered) taken.push(box)
  }
}

/** Badges may touch a little: their boxes are larger than what is drawn. */
const GAP_PX = -4
