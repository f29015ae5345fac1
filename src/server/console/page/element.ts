type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
type Children = readonly (Node | string | undefined)[];

const SVG = 'http://www.w3.org/2000/svg';

/** An element with attributes and children. Text stays text: nothing here reads HTML. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: Children
): HTMLElementTagNameMap[Name] {
  return fill(document.createElement(name), attributes, children);
}

export function svgElement<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: Children
): SVGElementTagNameMap[Name] {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill<Kind extends Element>(made: Kind, attributes: Attributes, children: Children): Kind {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    made.setAttribute(name, value === true ? '' : String(value));
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** The element of index.html with this id. */
export function part<Kind extends Element>(id: string, kind: abstract new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`index.html has no ${kind.name} "${id}".`);
  return found;
}

/** Shows a sentence in a place for problems, or hides it. */
export function tell(place: HTMLElement, sentence: string | undefined): void {
  place.textContent = sentence ?? '';
  place.hidden = sentence === undefined;
}
