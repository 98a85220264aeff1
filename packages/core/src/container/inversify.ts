// Inversify is the larger part of what importing core would take. Who only makes keys, reads an error's code or writes a
// driver's test needs none of it: it is imported where a container is made.
import 'reflect-metadata';

export { Container, ContainerModule } from 'inversify';
