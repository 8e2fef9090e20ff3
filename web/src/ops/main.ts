import { mount } from 'svelte'
import '../shared/base.css'
import './ops.css'
import Ops from './Ops.svelte'

const target = document.getElementById('ops')
if (target) mount(Ops, { target })
