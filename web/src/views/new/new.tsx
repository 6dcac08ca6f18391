/** The page "NewStudy". */
export default function NewStudy() {
  return <p>NewStudy</p>;
}
