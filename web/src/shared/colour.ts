/** Black or white ink on `#rrggbb`: whichever stands out more, by WCAG's relative luminance. */
export function inkOn(colour: string): '#10181f' | '#ffffff' {
  const light = luminance(colour)
  return (light + 0.05) / (luminance('#10181f') + 0.05) >= 1.05 / (light + 0.05) ? '#10181f' : '#ffffff'
}

/** WCAG's contrast ratio of two `#rrggbb`, 1 to 21. */
export function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05)
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const channel = Number.parseInt(colour.slice(start, start + 2), 16) / 255
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
