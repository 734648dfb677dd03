// Package images assembles what `docker build` needs for the images: static (nginx), app (the keeper and Jetty)
// and proxy (HAProxy).
//
// Here belong the Dockerfiles and everything that is copied into the images, the sample companyNews for people who have
// no artifacts yet, and the staging that joins these with a team's artifacts. How images are declared, pushed and run
// belongs to the components; what the keeper does belongs to twip/infra/keeper. Two Java libraries run beside Jetty,
// each compiled and tried by the image's build: app/snapshots has the application's Prevayler take snapshots, app/guard
// keeps expressions (OGNL) to the page's own data.
//
// # Artifacts
//
// A team's artifacts are companyNews.war and static.zip in one directory. Each that is absent is replaced by the
// sample's, and Context.Source says which is used. Both are unpacked while staging, so the images need no unzip and
// Jetty starts faster. An artifact is refused, before anything is built, when it is not a readable zip file, when a
// name in it would leave the directory it is unpacked to, when it holds links, and when it is not what its name says: a
// WAR without WEB-INF, a static.zip without styles or images. Those two may lie in folders of static.zip, as when a
// directory was zipped as a whole.
//
// # Determinism
//
// The same program and the same artifacts give the same bytes, modes and file times in a build context on every
// computer, and the same tag: a hash over each file's path, mode and content and over the build arguments. File times
// are derived from content and not from the clock, because nginx makes its ETag of a file's time and length: a changed
// file of the same length gets another ETag, and the same file keeps its own through every build.
package images
