/** The page "Study". */
export default function Study() {
  return <p>Study</p>;
}
