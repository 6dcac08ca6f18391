const FIELDS = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true]";

/** Whether a key pressed there is meant for a field, a dialog or a menu, and not for the page. */
export function takesKeys(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.matches(FIELDS) || target.closest("[role=dialog], [role=menu]") !== null;
}
