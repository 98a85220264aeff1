// Inversify would take most of the time of importing core. Code that only builds keys or reads error codes does not need
// it, so it is imported when a container is made.
import 'reflect-metadata';

export { Container, ContainerModule } from 'inversify';
