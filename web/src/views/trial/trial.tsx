/** The page "Trial". */
export default function Trial() {
  return <p>Trial</p>;
}
