/** The drawn city's colours in one theme. They stay behind the data: pale, close to each other, never a state's colour. */
export interface MapPalette {
  sea: string
  land: string
  coast: string
  park: string
  beach: string
  harbour: string
  rail: string
  street: string
  streetMain: string
  motorway: string
  casing: string
  zoneLine: string
  zoneChosen: string
  text: string
  textSoft: string
  textPark: string
  textWater: string
  halo: string
  waterHalo: string
  /** Edge of a sensor's dot. */
  dotEdge: string
  accent: string
}

export const MAP_PALETTES: Readonly<Record<'light' | 'dark', MapPalette>> = {
  light: {
    sea: '#c7dfec',
    land: '#f5f2ea',
    coast: '#a9c6d6',
    park: '#d9e8cd',
    beach: '#f6e4b4',
    harbour: '#e2e1de',
    rail: '#b9b5ad',
    street: '#ffffff',
    streetMain: '#fffdf6',
    motorway: '#fbe3b0',
    casing: '#cfc8b8',
    zoneLine: '#75828e',
    zoneChosen: '#0b5a8f',
    text: '#3b4650',
    textSoft: '#5c6670',
    textPark: '#47673a',
    textWater: '#3d6f8c',
    halo: '#f9f7f2',
    waterHalo: '#d6e7f0',
    dotEdge: '#ffffff',
    accent: '#0b5a8f',
  },
  dark: {
    sea: '#0a1c29',
    land: '#18222b',
    coast: '#2b4353',
    park: '#1c3029',
    beach: '#37331f',
    harbour: '#222d37',
    rail: '#3d4a55',
    street: '#2b3843',
    streetMain: '#364551',
    motorway: '#4d452f',
    casing: '#121a21',
    zoneLine: '#5d6d7a',
    zoneChosen: '#7cc0f0',
    text: '#c8d2da',
    textSoft: '#97a5b0',
    textPark: '#8bb59d',
    textWater: '#7fa9c4',
    halo: '#131c24',
    waterHalo: '#0a1c29',
    dotEdge: '#0d151c',
    accent: '#7cc0f0',
  },
}
