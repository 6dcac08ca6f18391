/** The nonce under which this very page may add styles; the server writes it into index.html. */
export function nonce(): string {
  const said = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]');
  return said?.nonce || said?.getAttribute("nonce") || "";
}
